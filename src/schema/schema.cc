// What a section's keys must be, and how that is told.
#include "schema/schema.h"

#include <fmt/ranges.h>

namespace doorward::schema {
namespace {

std::string quoted_list(std::span<const std::string_view> keys) {
  std::string out;
  for (const std::string_view key : keys) {
    out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", key);
  }
  return out;
}

}  // namespace

KeyCheck check_keys(const text::Node& map, const Keys& keys, Diagnostics& diagnostics) {
  std::vector<std::string_view> known(keys.names.begin(), keys.names.end());
  known.insert(known.end(), keys.also_known.begin(), keys.also_known.end());
  KeyCheck found;
  for (const text::Member& member : map.members) {
    if (std::ranges::find(known, std::string_view(member.key)) != known.end()) continue;
    found.ok = false;
    std::string suggestion;
    std::string message = unknown_name("unknown key", member.key, known, suggestion);
    if (!suggestion.empty() && map.find(suggestion) == nullptr) found.meant.push_back(suggestion);
    diagnostics.error_at(member.key, std::move(message), std::move(suggestion));
  }
  return found;
}

bool check_one_of(const text::Node& map, std::span<const std::string_view> keys, bool needed,
                  const KeyCheck& found, Diagnostics& diagnostics) {
  std::vector<std::string_view> given;
  for (const std::string_view key : keys) {
    if (map.find(key) != nullptr) given.push_back(key);
  }
  if (given.size() == 1 || (given.empty() && !needed)) return true;
  const auto is_meant = [&](std::string_view key) { return found.means(key); };
  if (given.empty() && std::ranges::any_of(keys, is_meant)) return false;
  const std::string rule =
      fmt::format("needs {} one of {}", needed ? "exactly" : "at most", quoted_list(keys));
  if (given.empty()) {
    diagnostics.error(fmt::format("{}, has none", rule));
  } else {
    diagnostics.error_at(given[1], fmt::format("stands beside {}; the section {}",
                                               quoted_list(std::span(given).first(1)), rule));
  }
  return false;
}

bool expect_section(const text::Node& node, std::string_view short_name, const Keys& keys,
                    Diagnostics& diagnostics) {
  // An empty section ("limits:" with nothing below) has its defaults.
  if (node.is_map() || node.is_null()) return true;
  const std::string alternative = short_name.empty() ? "" : fmt::format("{} or ", short_name);
  diagnostics.error(
      keys.names.empty()
          ? fmt::format("must be {}an empty map ({{}}), not {}", alternative, describe(node))
          : fmt::format("must be {}a map with the keys {}, not {}", alternative,
                        fmt::join(keys.names, ", "), describe(node)));
  return false;
}

std::string one_of_sentence(std::span<const std::string_view> keys, bool needed) {
  std::string list;
  for (const std::string_view key : keys) {
    list += fmt::format("{}`{}`", list.empty() ? "" : ", ", key);
  }
  return fmt::format("{} one of {} is given.", needed ? "Exactly" : "At most", list);
}

Json one_of_schema(std::span<const std::string_view> keys, bool needed) {
  Json choices = Json::array();
  Json none = Json::array();
  for (const std::string_view key : keys) {
    choices.push_back({{"required", Json::array({key})}});
    none.push_back({{"required", Json::array({key})}});
  }
  if (!needed) choices.push_back({{"not", {{"anyOf", std::move(none)}}}});
  return {{"oneOf", std::move(choices)}};
}

}  // namespace doorward::schema
