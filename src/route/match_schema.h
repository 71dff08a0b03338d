// How a match is written in the configuration. Shapes are checked here; whether hosts, paths,
// expressions and blocks mean something, RouteTable::build tells, with the route's name.
#pragma once

#include "route/match.h"
#include "schema/schema.h"

namespace doorward::schema {

// "/a/**", or {regex: "…"}.
template <>
struct ValueTraits<route::PathMatch> {
  static bool read(const text::Node& node, route::PathMatch& out, Diagnostics& diagnostics);
  static Json to_json(const route::PathMatch& path);
  static Json json_schema(Json& definitions);
  static std::string type() { return "a path or {regex: …}"; }
};

// {x-version: "2", x-debug: {present: true}, x-a: {regex: "…"}, x-b: {absent: true}, …}
template <>
struct ValueTraits<std::vector<route::NamedMatch>> {
  static bool read(const text::Node& node, std::vector<route::NamedMatch>& out,
                   Diagnostics& diagnostics);
  static Json to_json(const std::vector<route::NamedMatch>& matches);
  static Json json_schema(Json& definitions);
  static std::string type() { return "names with a value or {present|absent|prefix|regex: …}"; }
};

}  // namespace doorward::schema

namespace doorward::route {

extern const schema::SchemaOf<Match>& kMatchSchema;

}  // namespace doorward::route
