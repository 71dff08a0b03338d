// From configuration to steps of a chain: `- name`, `- kind: settings`, and `mode` among settings.
#include <fmt/format.h>

#include "policy/registry.h"
#include "schema/describe.h"
#include "schema/options.h"

namespace doorward::policy {
namespace {

using schema::Diagnostics;
using schema::Json;

constexpr std::string_view kModeKey = "mode";
constexpr std::string_view kModeDoc =
    "`enforce`: it acts. `shadow`: it decides on copies and reports what it would have answered, "
    "and nothing changes. `off`: it is left out.";

constexpr schema::OptionSet kModeOptions{schema::names<Mode>(
    {{"enforce", Mode::enforce}, {"shadow", Mode::shadow}, {"off", Mode::off}})};

std::optional<Mode> read_mode(const text::Node& settings, Diagnostics& diagnostics) {
  const text::Member* member = settings.is_map() ? settings.find(kModeKey) : nullptr;
  if (member == nullptr) return Mode::enforce;
  const Diagnostics::Scope scope(diagnostics, kModeKey, member->value);
  Mode mode = Mode::enforce;
  if (!schema::read_value(member->value, mode, kModeOptions, diagnostics)) return std::nullopt;
  return mode;
}

std::vector<std::string_view> kind_names(const Registry& registry) {
  std::vector<std::string_view> names;
  for (const auto& kind : registry.kinds()) names.push_back(kind->name());
  return names;
}

std::vector<std::string_view> policy_names(const NamedPolicies& named) {
  std::vector<std::string_view> names;
  for (const auto& [name, step] : named) names.push_back(name);
  return names;
}

}  // namespace

bool PolicyBuild::has_service(std::string_view key, std::string_view name) {
  if (std::ranges::find(services_, name) != services_.end()) return true;
  std::string suggestion;
  std::string message = schema::unknown_name(fmt::format("there is no service \"{}\"", name), name,
                                             services_, suggestion);
  diagnostics_.error_at(key, std::move(message), std::move(suggestion));
  return false;
}

Json PolicyKind::json_schema(Json& definitions) const {
  Json json = settings().json_schema(definitions);
  Json* object = &json;
  // Settings with a short form are one of several schemas; the section is the last.
  if (json.contains("anyOf")) object = &json["anyOf"].back();
  Json mode = schema::value_schema<Mode>(kModeOptions, definitions);
  mode["description"] = kModeDoc;
  mode["default"] = to_string(Mode::enforce);
  (*object)["properties"][std::string(kModeKey)] = std::move(mode);
  json["description"] = doc();
  return json;
}

schema::Reference PolicyKind::reference() const {
  schema::Reference made = settings().reference();
  made.rows.push_back({std::string(kModeKey), schema::value_type<Mode>(kModeOptions), "`enforce`",
                       std::string(kModeDoc)});
  return made;
}

const PolicyKind* Registry::find(std::string_view name) const {
  for (const auto& kind : kinds_) {
    if (kind->name() == name) return kind.get();
  }
  return nullptr;
}

std::optional<ChainStep> Registry::read_settings(const text::Member& member, std::string_view name,
                                                 PolicyBuild& build) const {
  Diagnostics& diagnostics = build.diagnostics();
  const PolicyKind* kind = find(member.key);
  if (kind == nullptr) {
    const auto names = kind_names(*this);
    std::string suggestion;
    std::string message =
        schema::unknown_name("is no kind of policy", member.key, names, suggestion);
    diagnostics.error_at(member.key, std::move(message), std::move(suggestion));
    return std::nullopt;
  }
  const Diagnostics::Scope scope(diagnostics, member.key, member.value);
  const std::optional<Mode> mode = read_mode(member.value, diagnostics);
  const std::string_view also_known[] = {kModeKey};
  schema::AnyValue config = kind->settings().read(member.value, diagnostics, also_known);
  if (!config || !mode) return std::nullopt;
  std::shared_ptr<const Policy> policy = kind->make(std::move(config), build);
  if (policy == nullptr) return std::nullopt;
  return ChainStep{std::move(policy), std::string(name.empty() ? kind->name() : name),
                   std::string(kind->name()), *mode, kind->functions()};
}

std::optional<ChainStep> Registry::read_kind(const text::Node& node, std::string_view name,
                                             PolicyBuild& build) const {
  if (!node.is_map() || node.members.empty()) {
    build.diagnostics().error(fmt::format("must be a policy such as {{request_id: {{}}}}, not {}",
                                          schema::describe(node)));
    return std::nullopt;
  }
  if (node.members.size() > 1) {
    const text::Member& second = node.members[1];
    build.diagnostics().error_at(
        second.key, fmt::format("is a second kind beside \"{}\"; {}", node.members[0].key,
                                name.empty() ? "begin a new item with \"-\", or indent it when it "
                                               "is a setting"
                                             : "give it a name of its own, or indent it when it is "
                                               "a setting"));
    return std::nullopt;
  }
  return read_settings(node.members[0], name, build);
}

std::optional<ChainStep> Registry::read_item(const text::Node& item, const NamedPolicies& named,
                                             PolicyBuild& build) const {
  if (!item.is_scalar()) return read_kind(item, {}, build);
  if (const auto found = named.find(item.text); found != named.end()) return found->second;
  if (find(item.text) != nullptr) {
    build.diagnostics().error(
        fmt::format("no policy is named \"{0}\"; {0} is a kind: write \"{0}: {{}}\"", item.text));
    return std::nullopt;
  }
  std::string suggestion;
  std::string message = schema::unknown_name(fmt::format("no policy is named \"{}\"", item.text),
                                             item.text, policy_names(named), suggestion);
  build.diagnostics().error(std::move(message), std::move(suggestion));
  return std::nullopt;
}

std::vector<ChainStep> Registry::read_list(const text::Node& list, const NamedPolicies& named,
                                           PolicyBuild& build) const {
  std::vector<ChainStep> steps;
  if (list.is_null()) return steps;
  if (!schema::expect_list(list, false, build.diagnostics())) return steps;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Diagnostics::Scope scope(build.diagnostics(), i, list.items[i]);
    if (auto step = read_item(list.items[i], named, build)) steps.push_back(*std::move(step));
  }
  return steps;
}

NamedPolicies Registry::read_named(const text::Node& map, PolicyBuild& build) const {
  NamedPolicies named;
  if (map.is_null()) return named;
  if (!schema::expect_map(map, "names with policies", build.diagnostics())) return named;
  for (const text::Member& member : map.members) {
    const Diagnostics::Scope scope(build.diagnostics(), member.key, member.value);
    if (!schema::check_key(member, schema::kName, build.diagnostics())) continue;
    auto step = read_kind(member.value, member.key, build);
    // A broken one has its name all the same, so that its users are not errors too.
    named.emplace(member.key, step ? *std::move(step) : ChainStep{nullptr, {}, {}, Mode::off, {}});
  }
  return named;
}

Json Registry::kind_schema(Json& definitions) const {
  Json properties = Json::object();
  for (const auto& kind : kinds_) {
    properties[std::string(kind->name())] = kind->json_schema(definitions);
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"additionalProperties", false},
          {"minProperties", 1},
          {"maxProperties", 1}};
}

Json Registry::item_schema(Json& definitions) const {
  return {{"anyOf", Json::array({{{"type", "string"}, {"description", "The name of a policy."}},
                                 kind_schema(definitions)})}};
}

}  // namespace doorward::policy
