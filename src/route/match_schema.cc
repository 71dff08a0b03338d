#include "route/match_schema.h"

#include <fmt/format.h>

namespace doorward::schema {
namespace {

using route::NamedMatch;
using route::PathMatch;
using route::ValueMatch;
using Kind = ValueMatch::Kind;

struct Form {
  std::string_view key;
  Kind kind;
  bool flag;  // takes `true`, not a text
};
constexpr Form kForms[] = {{"present", Kind::present, true},
                           {"absent", Kind::absent, true},
                           {"prefix", Kind::prefix, false},
                           {"regex", Kind::regex, false}};
constexpr std::string_view kFormKeys[] = {"present", "absent", "prefix", "regex"};

// The only key of a map that must have one; null after an error.
const text::Member* only_member(const text::Node& node, std::span<const std::string_view> keys,
                                std::string_view what, Diagnostics& diagnostics) {
  if (!node.is_map() || node.members.size() != 1) {
    diagnostics.error(fmt::format("must be {}", what));
    return nullptr;
  }
  return check_keys(node, {keys, {}}, diagnostics).ok ? &node.members[0] : nullptr;
}

bool read_form(const text::Member& member, const Form& form, ValueMatch& out,
               Diagnostics& diagnostics) {
  out.kind = form.kind;
  if (!form.flag) return read_scalar(member.value, out.text, diagnostics);
  bool flag = false;
  if (!read_scalar(member.value, flag, diagnostics)) return false;
  if (!flag) out.kind = form.kind == Kind::present ? Kind::absent : Kind::present;
  return true;
}

bool read_value_match(const text::Node& node, ValueMatch& out, Diagnostics& diagnostics) {
  if (node.is_scalar()) return read_scalar(node, out.text, diagnostics);
  const text::Member* member = only_member(
      node, kFormKeys,
      "a value, or one of {present: true}, {absent: true}, {prefix: …}, {regex: …}", diagnostics);
  if (member == nullptr) return false;
  const Diagnostics::Scope scope(diagnostics, member->key, member->value);
  for (const Form& form : kForms) {
    if (member->key == form.key) return read_form(*member, form, out, diagnostics);
  }
  return false;
}

Json value_to_json(const ValueMatch& value) {
  for (const Form& form : kForms) {
    if (form.kind != value.kind) continue;
    return {{form.key, form.flag ? Json(true) : Json(value.text)}};
  }
  return value.text;
}

Json only_property(std::string_view key, Json of) {
  return {{"type", "object"},
          {"additionalProperties", false},
          {"required", Json::array({key})},
          {"properties", {{key, std::move(of)}}}};
}

}  // namespace

bool ValueTraits<PathMatch>::read(const text::Node& node, PathMatch& out,
                                  Diagnostics& diagnostics) {
  if (node.is_scalar()) return read_scalar(node, out.text, diagnostics);
  static constexpr std::string_view kKeys[] = {"regex"};
  const text::Member* member =
      only_member(node, kKeys, "a path such as /orders/**, or {regex: …}", diagnostics);
  if (member == nullptr) return false;
  out.regex = true;
  const Diagnostics::Scope scope(diagnostics, member->key, member->value);
  return read_scalar(member->value, out.text, diagnostics);
}

Json ValueTraits<PathMatch>::to_json(const PathMatch& path) {
  return path.regex ? Json{{"regex", path.text}} : Json(path.text);
}

Json ValueTraits<PathMatch>::json_schema(Json&) {
  return {{"anyOf", Json::array({{{"type", "string"}, {"pattern", "^/"}},
                                 only_property("regex", {{"type", "string"}})})}};
}

bool ValueTraits<std::vector<NamedMatch>>::read(const text::Node& node,
                                                std::vector<NamedMatch>& out,
                                                Diagnostics& diagnostics) {
  if (!expect_map(node, "names with values", diagnostics)) return false;
  bool ok = true;
  out.clear();
  for (const text::Member& member : node.members) {
    const Diagnostics::Scope scope(diagnostics, member.key, member.value);
    NamedMatch match{member.key, {}};
    ok = read_value_match(member.value, match.value, diagnostics) && ok;
    out.push_back(std::move(match));
  }
  return ok;
}

Json ValueTraits<std::vector<NamedMatch>>::to_json(const std::vector<NamedMatch>& matches) {
  Json out = Json::object();
  for (const NamedMatch& match : matches) out[match.name] = value_to_json(match.value);
  return out;
}

Json ValueTraits<std::vector<NamedMatch>>::json_schema(Json& definitions) {
  Json forms = Json::array({{{"type", Json::array({"string", "number", "boolean"})}}});
  for (const Form& form : kForms) {
    forms.push_back(only_property(form.key, {{"type", form.flag ? "boolean" : "string"}}));
  }
  definitions["value_match"] = {{"anyOf", std::move(forms)}};
  return {{"type", "object"}, {"additionalProperties", {{"$ref", "#/$defs/value_match"}}}};
}

}  // namespace doorward::schema

namespace doorward::route {
namespace {

using schema::field;
using schema::one_or_many;

constexpr auto kTls = schema::schema<TlsMatch>(
    "tls",
    "The client's TLS. In patterns `*` stands for any run of characters, dots, commas and slashes "
    "too.",
    field(
        "sni", &TlsMatch::snis,
        "The name that the client asks for (SNI), a pattern. Behind a proxy that ends TLS, the one "
        "that its PROXY header tells.",
        one_or_many(), schema::is(schema::kNonEmpty)),
    field("client_subject", &TlsMatch::subjects,
          "The subject of its certificate (RFC 4514), a pattern: `CN=app-*,O=Example`.",
          one_or_many(), schema::is(schema::kNonEmpty)),
    field("client_name", &TlsMatch::names,
          "A name in its certificate (SAN) with its kind, a pattern: `DNS:app.example`, "
          "`URI:spiffe://example/ns/shop/*`.",
          one_or_many(), schema::is(schema::kNonEmpty)),
    field("client_fingerprint", &TlsMatch::fingerprints,
          "SHA-256 of its certificate: 64 hex digits, colons between them or not.", one_or_many(),
          schema::is(schema::kNonEmpty)),
    field("client_certificate", &TlsMatch::certificate,
          "`true`: it has a verified certificate; `false`: it has none."));

constexpr auto kSchema = schema::schema<Match>(
    "match", "Which requests a route takes. What is left out asks for nothing.",
    field("host", &Match::hosts,
          "Host names; `*.example.com` is every name below example.com, one or more labels.",
          one_or_many()),
    field(
        "path", &Match::paths,
        "Paths: `/a` this one, `/a/{id}` any one segment, `/a/*.png` a glob in a segment, `/a/**` "
        "/a and all below it, `{regex: …}` an RE2 over the whole path.",
        one_or_many()),
    field("method", &Match::methods, "Methods, in capitals. GET does not include HEAD.",
          one_or_many()),
    field("header", &Match::headers,
          "Headers by name: a value, or `{present: true}`, `{absent: true}`, `{prefix: …}`, "
          "`{regex: …}`. All must hold."),
    field("query", &Match::queries, "Query parameters, written like headers."),
    field("cookie", &Match::cookies, "Cookies, written like headers."),
    field("client", &Match::clients, "IP addresses and CIDR blocks of clients.", one_or_many()),
    field("tls", &Match::tls, "The client's TLS.", schema::of(kTls)),
    schema::example("host: api.example.com\npath: /orders/**\nmethod: [GET, POST]\nheader: "
                    "{x-version: \"2\"}\n"));

}  // namespace

const schema::SchemaOf<Match>& kMatchSchema = kSchema;

}  // namespace doorward::route
