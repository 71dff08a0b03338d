// The kinds of policies: what each is called, its settings, and how one is made. registry.cc lists
// them, one line a kind; configuration, JSON Schema and the reference pages read this table.
// Owner: the program (Registry::builtin); immutable.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/chain.h"
#include "schema/any_schema.h"
#include "text/yaml.h"

namespace doorward::policy {

// What a policy may ask and say while the configuration is compiled. Owner: the reader of the
// configuration; lives for one reading.
class PolicyBuild {
 public:
  PolicyBuild(std::span<const std::string_view> services, schema::Diagnostics& diagnostics)
      : services_(services), diagnostics_(diagnostics) {}

  schema::Diagnostics& diagnostics() { return diagnostics_; }
  // False, with an error at the setting `key`, when no service has that name.
  bool has_service(std::string_view key, std::string_view name);

 private:
  std::span<const std::string_view> services_;
  schema::Diagnostics& diagnostics_;
};

// One kind of policy.
class PolicyKind {
 public:
  virtual ~PolicyKind() = default;

  std::string_view name() const { return settings().name(); }
  std::string_view doc() const { return settings().doc(); }
  virtual const schema::AnySchema& settings() const = 0;
  virtual Functions functions() const = 0;
  // Null when it added an error.
  virtual std::unique_ptr<Policy> make(schema::AnyValue config, PolicyBuild& build) const = 0;

  // Settings with `mode`, which every kind takes.
  schema::Json json_schema(schema::Json& definitions) const;
  schema::Reference reference() const;
};

// A class whose settings are C. It is made by C's value, or by a static function
//   static std::unique_ptr<P> create(C config, PolicyBuild& build);
// when it must check more than its own settings (it adds an error and returns null).
template <class P, class C>
class PolicyKindOf final : public PolicyKind {
 public:
  explicit PolicyKindOf(const schema::SchemaOf<C>& settings) : settings_(settings) {}

  const schema::AnySchema& settings() const override { return settings_; }
  Functions functions() const override { return functions_of<P>(); }
  std::unique_ptr<Policy> make(schema::AnyValue config,
                               [[maybe_unused]] PolicyBuild& build) const override {
    C& value = config.get<C>();
    if constexpr (requires { P::create(std::move(value), build); }) {
      return P::create(std::move(value), build);
    } else {
      return std::make_unique<P>(std::move(value));
    }
  }

 private:
  schema::ErasedSchema<C> settings_;
};

// The policies that `policies:` names, made; a route uses them by name.
using NamedPolicies = std::map<std::string, ChainStep, std::less<>>;

class Registry {
 public:
  // All kinds of this release, in the order of the reference.
  static const Registry& builtin();

  template <class P, class C>
  void add(const schema::SchemaOf<C>& settings) {
    kinds_.push_back(std::make_unique<PolicyKindOf<P, C>>(settings));
  }

  std::span<const std::unique_ptr<PolicyKind>> kinds() const { return kinds_; }
  const PolicyKind* find(std::string_view name) const;

  // An item of a `policies` list: a name, or {kind: settings}. The caller has opened the item's
  // place (Diagnostics::Scope). Nothing when an error was added.
  std::optional<ChainStep> read_item(const text::Node& item, const NamedPolicies& named,
                                     PolicyBuild& build) const;
  // The whole list; what is wrong is left out.
  std::vector<ChainStep> read_list(const text::Node& list, const NamedPolicies& named,
                                   PolicyBuild& build) const;
  // The top-level map `policies`: names with {kind: settings} each.
  NamedPolicies read_named(const text::Node& map, PolicyBuild& build) const;

  // JSON Schema of an item, and of {kind: settings} alone.
  schema::Json item_schema(schema::Json& definitions) const;
  schema::Json kind_schema(schema::Json& definitions) const;

 private:
  std::optional<ChainStep> read_kind(const text::Node& node, std::string_view name,
                                     PolicyBuild& build) const;
  std::optional<ChainStep> read_settings(const text::Member& member, std::string_view name,
                                         PolicyBuild& build) const;

  std::vector<std::unique_ptr<PolicyKind>> kinds_;
};

}  // namespace doorward::policy
