// Any bytes as a configuration, from the text to the Snapshot: the tree, the files of a folder
// joined (here parted by lines "---"), the model, the settings of every policy, what the whole
// tells, route table, templates and chains. No file, socket or name is asked for: the text comes
// from memory, a dry run opens no log and no listener, and what would read certificates is left out
// of the model (tls_certificate_fuzz has those).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "config/compile.h"
#include "config/load.h"
#include "config/named_files.h"
#include "config/tls_hosts.h"

namespace {

using namespace doorward;

constexpr std::size_t kLargest = 16 << 10;  // more is only slower

// As config/source.cc does it with a folder.
std::optional<text::Node> tree_of(std::string_view input, schema::Diagnostics& diagnostics) {
  constexpr std::string_view kParted = "\n---\n";
  std::vector<text::Node> roots;
  std::size_t files = 0;
  for (std::size_t from = 0; from <= input.size(); ++files) {
    const std::size_t end = std::min(input.find(kParted, from), input.size());
    const auto file = std::make_shared<text::SourceFile>(
        "fuzz.yaml", std::string(input.substr(from, end - from)));
    from = end + kParted.size();
    auto root = text::parse_yaml(file, {.nodes = 10'000});
    if (root) {
      roots.push_back(*std::move(root));
    } else {
      diagnostics.add(root.error());
    }
  }
  if (roots.size() != files) return std::nullopt;
  if (files == 1) return std::move(roots.front());
  auto merged = text::merge_yaml(std::move(roots));
  if (merged) return *std::move(merged);
  diagnostics.add(merged.error());
  return std::nullopt;
}

config::Model without_certificates(config::Model model) {
  for (exchange::ListenerConfig& listener : model.listeners) listener.tls.reset();
  for (auto& service : model.services) {
    for (upstream::EndpointConfig& endpoint : service.value.endpoints) endpoint.tls = false;
  }
  return model;
}

// The model is there exactly when there is no error; so is the Snapshot.
void load(const text::Node& root, schema::Diagnostics& diagnostics) {
  const std::optional<config::Model> model =
      config::read_model(root, config::policy_kinds(), diagnostics);
  DOORWARD_CHECK(model.has_value() == diagnostics.ok());
  if (!model) return;
  DOORWARD_CHECK(!config::kModelSchema.to_json(*model).dump().empty());
  config::named_files(*model);
  const std::vector<config::ListenerNames> listeners{
      {"one", 443, false, {"api.example.com", "*.example.com"}}, {"two", 443, true, {"a.b"}}};
  config::uncovered_hosts(*model, listeners);
  config::dry_run(without_certificates(*model), root, diagnostics);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kLargest) return -1;
  schema::Diagnostics diagnostics;
  const auto root = tree_of({reinterpret_cast<const char*>(data), size}, diagnostics);
  DOORWARD_CHECK(root.has_value() == diagnostics.ok());
  if (root && !root->is_null()) load(*root, diagnostics);
  // Whatever was found can be shown, as text and as JSON.
  const bool shown = !diagnostics.to_text().empty() && !diagnostics.to_json().dump().empty();
  DOORWARD_CHECK(diagnostics.ok() || shown);
  return 0;
}
