#include "config/load.h"

#include <fstream>
#include <iterator>

#include "config/access_log_place.h"
#include "config/named_files.h"
#include "config/source.h"
#include "policy/registry.h"

namespace doorward::config {
namespace {

std::string text_of(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& name : files) {
    if (files.size() > 1) text += "# " + name + "\n";
    std::ifstream file(name, std::ios::binary);
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  return text;
}

// A warning: who checks a configuration may be another user on another machine than who runs it.
void warn_of_access_log(const text::Node& root, const Model& model,
                        schema::Diagnostics& diagnostics) {
  std::string problem = model.access_log ? access_log_problem(*model.access_log) : std::string();
  if (problem.empty()) return;
  constexpr std::string_view kPath = "access_log.path";
  const text::Node* node = schema::find_path(root, kPath);
  diagnostics.add({schema::Severity::warning,
                   node == nullptr ? root.place : node->place,
                   std::string(kPath),
                   std::move(problem),
                   {}});
}

}  // namespace

PolicyKinds policy_kinds() {
  static const std::vector<const schema::AnySchema*> kKinds = [] {
    std::vector<const schema::AnySchema*> kinds;
    for (const auto& kind : policy::Registry::builtin().kinds()) kinds.push_back(&kind->settings());
    return kinds;
  }();
  return kKinds;
}

std::optional<Loaded> load(const std::string& path, schema::Diagnostics& diagnostics) {
  // First, so that a change while it is read is seen as one.
  std::string text = read_text(path);
  std::optional<Source> source = load_source(path, diagnostics);
  if (!source) return std::nullopt;
  std::optional<Model> model = read_model(source->root, policy_kinds(), diagnostics);
  if (!model || !diagnostics.ok()) return std::nullopt;
  warn_of_access_log(source->root, *model, diagnostics);
  std::vector<std::string> named = named_files(*model);
  const std::uint64_t hash = hash_files(named);
  return Loaded{*std::move(model), std::move(named), std::move(text), hash,
                std::move(source->root)};
}

std::optional<Loaded> load_upstream(const std::string& url, schema::Diagnostics& diagnostics) {
  std::optional<Model> model = single_upstream_model(url, diagnostics);
  if (!model || !diagnostics.ok()) return std::nullopt;
  return Loaded{*std::move(model), {}, "# doorward run " + url + "\n", 0, {}};
}

std::string read_text(const std::string& path) { return text_of(source_files(path)); }

}  // namespace doorward::config
