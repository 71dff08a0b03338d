// Model: a whole configuration as values, the way it is written (docs/reference). What it is
// compiled to is exchange::Snapshot. Owner: who loaded it; a plain value, copied freely.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/policy_use.h"
#include "exchange/listener_config.h"
#include "observe/access_log_config.h"
#include "route/match.h"
#include "schema/schema.h"
#include "upstream/service_config.h"

namespace doorward::config {

struct RedirectConfig {
  std::string to;  // a template
  std::uint16_t status = 308;
};

struct RespondConfig {
  std::uint16_t status = 200;
  std::string body;  // a template, as the headers' values
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
};

struct RouteConfig {
  std::string name;  // "route-1" when none is given
  route::Match match;
  std::vector<PolicyUse> policies;
  // Exactly one of:
  std::optional<std::string> service;
  std::optional<RedirectConfig> redirect;
  std::optional<RespondConfig> respond;
};

struct AdminConfig {
  std::string address = "127.0.0.1:9901";
  std::string token;  // empty: a random one is made and printed
  bool operator==(const AdminConfig&) const = default;
};

// Who asks a live request what becomes of it.
struct DebugConfig {
  std::string token;
};

struct Model {
  int version = 1;
  std::vector<exchange::ListenerConfig> listeners;  // named "listener-1" when no name is given
  std::optional<AdminConfig> admin = AdminConfig{};
  bool admin_given = false;  // the configuration speaks of it
  std::optional<observe::AccessLogConfig> access_log = observe::AccessLogConfig{};
  std::optional<DebugConfig> debug;
  std::vector<schema::Keyed<upstream::ServiceConfig>> services;  // value.name is the key
  std::vector<schema::Keyed<PolicyUse>> policies;                // declared by name
  std::vector<PolicyUse> policies_everywhere;
  std::vector<RouteConfig> routes;
};

extern const schema::SchemaOf<exchange::ListenerConfig>& kListenerSchema;
extern const schema::SchemaOf<upstream::ServiceConfig>& kServiceSchema;
extern const schema::SchemaOf<RouteConfig>& kRouteSchema;
extern const schema::SchemaOf<AdminConfig>& kAdminSchema;
extern const schema::SchemaOf<DebugConfig>& kDebugSchema;
extern const schema::SchemaOf<Model>& kModelSchema;

// Reads and checks a whole tree; nothing when there was an error. All errors are told; warnings
// only about what has no error.
std::optional<Model> read_model(const text::Node& root, PolicyKinds kinds,
                                schema::Diagnostics& diagnostics);

// The model of `doorward run URL`: a listener on :8080, one service, one route for everything.
std::optional<Model> single_upstream_model(std::string_view url, schema::Diagnostics& diagnostics);

}  // namespace doorward::config

namespace doorward::schema {

// "http://127.0.0.1:9001", "unix:/run/orders.sock", or {url: …, weight: 2}.
template <>
struct ValueTraits<upstream::EndpointConfig> {
  static bool read(const text::Node& node, upstream::EndpointConfig& out, Diagnostics& diagnostics);
  static Json to_json(const upstream::EndpointConfig& endpoint);
  static Json json_schema(Json& definitions);
  static std::string type() { return "URL or {url, weight}"; }
};

}  // namespace doorward::schema
