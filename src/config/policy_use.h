// One policy where it is used: by the name of a declared one, or as {kind: settings}. Settings are
// read in a second step (resolve), by the schema that the registry of policies has for the kind.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "schema/any_schema.h"

namespace doorward::config {

enum class PolicyMode : std::uint8_t { enforce, shadow, off };

struct PolicyUse {
  std::string name;  // of a declared policy; else empty, and:
  std::string kind;
  PolicyMode mode = PolicyMode::enforce;
  std::shared_ptr<const schema::AnyValue> settings;  // of the kind's config struct; null by name
  text::Node written;                                // {kind: settings}, as it was read
};

// The schemas of all kinds; owned by the registry.
using PolicyKinds = std::span<const schema::AnySchema* const>;

// Null when there is no such kind.
const schema::AnySchema* find_kind(PolicyKinds kinds, std::string_view kind);

// Reads the settings (at the scope that `diagnostics` is in); false when it added an error.
bool resolve(PolicyUse& policy, PolicyKinds kinds, schema::Diagnostics& diagnostics);

// The JSON Schema of a policy's use, for "$defs".
schema::Json policy_use_schema(PolicyKinds kinds, schema::Json& definitions);

// What every kind's settings may carry beside their own, as a row of its reference page.
schema::Row mode_row();

}  // namespace doorward::config

namespace doorward::schema {

template <>
struct ValueTraits<config::PolicyUse> {
  static bool read(const text::Node& node, config::PolicyUse& out, Diagnostics& diagnostics);
  // {kind: {settings, mode}}, as it was written: settings are resolved by their kind alone.
  static Json to_json(const config::PolicyUse& policy);
  static Json json_schema(Json& definitions);
  static std::string type() { return "policy: a name or {kind: settings}"; }
};

}  // namespace doorward::schema
