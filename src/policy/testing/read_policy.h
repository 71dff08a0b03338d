// For tests: a policy, or a list of them, made from YAML, as the configuration does.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/registry.h"

namespace doorward::policy::testing {

// What was found wrong, a line each: "2:5: size_limit.maks: unknown key; …".
inline std::string lines_of(const schema::Diagnostics& diagnostics) {
  std::string lines;
  for (const schema::Diagnostic& found : diagnostics.sorted()) {
    lines += std::to_string(found.place.line) + ":" + std::to_string(found.place.column) + ": " +
             found.path + (found.path.empty() ? "" : ": ") + found.message + "\n";
  }
  return lines;
}

// Reads `policies:` and `list:` of a YAML text; services are "auth" and "app".
struct ReadPolicies {
  std::vector<ChainStep> steps;
  std::string errors;

  explicit ReadPolicies(std::string_view yaml, const Registry& registry = Registry::builtin()) {
    const auto source = std::make_shared<text::SourceFile>("test.yaml", std::string(yaml));
    const auto root = text::parse_yaml(source);
    schema::Diagnostics diagnostics;
    if (!root) {
      diagnostics.add(root.error());
    } else {
      const schema::Diagnostics::Scope scope(diagnostics, *root);
      const std::string_view services[] = {"auth", "app"};
      PolicyBuild build(services, diagnostics);
      NamedPolicies named;
      if (const text::Member* policies = root->find("policies")) {
        const schema::Diagnostics::Scope inner(diagnostics, "policies", policies->value);
        named = registry.read_named(policies->value, build);
      }
      if (const text::Member* list = root->find("list")) {
        const schema::Diagnostics::Scope inner(diagnostics, "list", list->value);
        steps = registry.read_list(list->value, named, build);
      }
    }
    errors = lines_of(diagnostics);
  }
};

// One policy by its item: "size_limit: {max: 1KiB}".
inline std::shared_ptr<const Policy> policy_of(std::string_view item) {
  ReadPolicies read("list:\n  - " + std::string(item) + "\n");
  EXPECT_EQ(read.errors, "");
  return read.steps.empty() ? nullptr : read.steps[0].policy;
}

// What is wrong with an item, without its place: "size_limit.max: must be …\n".
inline std::string errors_of_item(std::string_view item) {
  const ReadPolicies read("list:\n  - " + std::string(item) + "\n");
  const std::string prefix = "list[0].";
  std::string out;
  for (std::size_t at = 0; at < read.errors.size();) {
    const std::size_t end = read.errors.find('\n', at);
    const std::string line = read.errors.substr(at, end - at);
    const std::size_t path = line.find("list[0]");
    std::string rest = path == std::string::npos ? line : line.substr(path + 7);
    if (rest.starts_with('.')) rest.erase(0, 1);
    out += rest + "\n";
    at = end + 1;
  }
  return out;
}

}  // namespace doorward::policy::testing
