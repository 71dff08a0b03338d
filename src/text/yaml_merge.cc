// Several trees as one: what is in only one file, what is joined, and what two must not both give.
#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

#include "text/yaml.h"

namespace doorward::text {
namespace {

using Errors = std::vector<YamlError>;

YamlError given_twice(std::string_view what, const Place& first, const Place& second) {
  return {second, fmt::format("{} is given twice; first in {}", what, first.to_string())};
}

void unite(std::string_view section, Node& into, Node&& from, Errors& errors) {
  std::unordered_map<std::string_view, const Member*> known;
  into.members.reserve(into.members.size() + from.members.size());
  for (const Member& member : into.members) known.emplace(member.key, &member);
  for (Member& member : from.members) {
    const auto before = known.find(member.key);
    if (before == known.end()) {
      into.members.push_back(std::move(member));
      continue;
    }
    errors.push_back(given_twice(fmt::format("{} \"{}\"", section, member.key),
                                 before->second->place, member.place));
  }
}

void merge_member(Member& into, Member&& from, Errors& errors) {
  Node& a = into.value;
  Node& b = from.value;
  if (b.is_null()) return;
  if (a.is_null()) {
    into = std::move(from);
  } else if (a.is_list() && b.is_list()) {
    std::ranges::move(b.items, std::back_inserter(a.items));
  } else if (a.is_map() && b.is_map()) {
    unite("in \"" + into.key + "\", the key", a, std::move(b), errors);
  } else if (!a.is_scalar() || !b.is_scalar() || a.text != b.text) {
    errors.push_back(given_twice("the key \"" + into.key + "\"", into.place, from.place));
  }
}

}  // namespace

std::expected<Node, Errors> merge_yaml(std::vector<Node> roots) {
  Node merged;
  Errors errors;
  for (Node& root : roots) {
    if (root.is_null()) continue;
    if (!root.is_map()) {
      errors.push_back({root.place, "a configuration file is a map of keys, such as \"routes:\""});
      continue;
    }
    if (merged.is_null()) {
      merged = std::move(root);
      continue;
    }
    for (Member& member : root.members) {
      const auto known = std::ranges::find(merged.members, member.key, &Member::key);
      if (known == merged.members.end()) {
        merged.members.push_back(std::move(member));
      } else {
        merge_member(*known, std::move(member), errors);
      }
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return merged;
}

}  // namespace doorward::text
