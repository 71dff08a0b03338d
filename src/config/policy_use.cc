// `mode` is read here, for all kinds alike; the kind's own schema knows nothing of it.
#include "config/policy_use.h"

#include <array>
#include <fmt/format.h>

#include "schema/schema.h"

namespace doorward::config {
namespace {

using schema::Json;

constexpr std::array<std::string_view, 1> kCommonKeys{"mode"};
constexpr std::string_view kModeDoc =
    "`enforce`: it acts. `shadow`: its refusals are counted and logged, not sent. `off`: it is "
    "left out.";

constexpr schema::OptionSet kModeOptions(schema::names<PolicyMode>(
    {{"enforce", PolicyMode::enforce}, {"shadow", PolicyMode::shadow}, {"off", PolicyMode::off}}));

bool read_mode(const text::Node& settings, PolicyMode& out, schema::Diagnostics& diagnostics) {
  const text::Member* mode = settings.find("mode");
  if (mode == nullptr) return true;
  const schema::Diagnostics::Scope scope(diagnostics, mode->key, mode->value);
  return schema::read_value(mode->value, out, kModeOptions, diagnostics);
}

// Adds `mode` to the object form of a kind's schema (the other alternative is its short form).
void add_mode(Json& kind) {
  if (kind.contains("properties")) {
    Json mode = {{"description", kModeDoc}, {"default", "enforce"}};
    mode["enum"] = Json::array({"enforce", "shadow", "off"});
    kind["properties"]["mode"] = std::move(mode);
  } else if (kind.contains("anyOf")) {
    for (Json& alternative : kind["anyOf"]) add_mode(alternative);
  }
}

Json text_to_json(const text::Node& node) {
  switch (node.kind) {
    case text::Node::Kind::null:
      return Json::object();
    case text::Node::Kind::scalar:
      return node.text;
    case text::Node::Kind::list: {
      Json list = Json::array();
      for (const text::Node& item : node.items) list.push_back(text_to_json(item));
      return list;
    }
    case text::Node::Kind::map:
      break;
  }
  Json map = Json::object();
  for (const text::Member& member : node.members) map[member.key] = text_to_json(member.value);
  return map;
}

}  // namespace

const schema::AnySchema* find_kind(PolicyKinds kinds, std::string_view kind) {
  for (const schema::AnySchema* known : kinds) {
    if (known->name() == kind) return known;
  }
  return nullptr;
}

bool resolve(PolicyUse& policy, PolicyKinds kinds, schema::Diagnostics& diagnostics) {
  if (policy.kind.empty()) return true;
  const schema::Diagnostics::Scope use(diagnostics, policy.written);
  const schema::AnySchema* kind = find_kind(kinds, policy.kind);
  if (kind == nullptr) {
    std::vector<std::string_view> right;
    for (const schema::AnySchema* known : kinds) right.push_back(known->name());
    std::string suggestion;
    std::string message = schema::unknown_name(fmt::format("unknown policy \"{}\"", policy.kind),
                                               policy.kind, right, suggestion);
    diagnostics.error_at(policy.kind, std::move(message), std::move(suggestion));
    return false;
  }
  const text::Node& settings = policy.written.members.front().value;
  const schema::Diagnostics::Scope scope(diagnostics, policy.kind, settings);
  const bool mode_ok = read_mode(settings, policy.mode, diagnostics);
  schema::AnyValue value = kind->read(settings, diagnostics, kCommonKeys);
  if (!value || !mode_ok) return false;
  policy.settings = std::make_shared<const schema::AnyValue>(std::move(value));
  return true;
}

Json policy_use_schema(PolicyKinds kinds, Json& definitions) {
  Json properties = Json::object();
  for (const schema::AnySchema* kind : kinds) {
    Json settings = {{"description", kind->doc()}};
    settings.update(kind->json_schema(definitions));
    add_mode(settings);
    properties[kind->name()] = std::move(settings);
  }
  Json inline_form = {{"type", "object"}, {"additionalProperties", false}};
  inline_form["minProperties"] = 1;
  inline_form["maxProperties"] = 1;
  inline_form["properties"] = std::move(properties);
  return inline_form;
}

schema::Row mode_row() {
  return {"mode", "`enforce` | `shadow` | `off`", "`enforce`", std::string(kModeDoc)};
}

}  // namespace doorward::config

namespace doorward::schema {

bool ValueTraits<config::PolicyUse>::read(const text::Node& node, config::PolicyUse& out,
                                          Diagnostics& diagnostics) {
  if (node.is_scalar() && !node.text.empty()) {
    out.name = node.text;
    return true;
  }
  if (node.is_map() && node.members.size() == 1) {
    out.kind = node.members.front().key;
    out.written = node;
    return true;
  }
  diagnostics.error(fmt::format(
      "must be the name of a policy, or one kind with its settings such as {{request_id: {{}}}}, "
      "not {}",
      node.is_map() ? fmt::format("a map with {} keys", node.members.size()) : describe(node)));
  return false;
}

Json ValueTraits<config::PolicyUse>::to_json(const config::PolicyUse& policy) {
  if (policy.kind.empty()) return policy.name;
  return config::text_to_json(policy.written);
}

Json ValueTraits<config::PolicyUse>::json_schema(Json&) {
  return {{"anyOf", Json::array({{{"type", "string"}}, {{"$ref", "#/$defs/policy"}}})}};
}

}  // namespace doorward::schema
