// From a path to a checked Model: reads the files, the tree, the model, and everything that only
// the whole can tell. Findings are values; nothing is half-loaded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "schema/diagnostics.h"

namespace doorward::config {

struct Loaded {
  Model model;
  std::vector<std::string> named_files;  // that it names (named_files.h)
  std::string text;                      // all of it, as it was written
  std::uint64_t hash = 0;                // of the named files, before anything was made of them
  text::Node written;                    // the tree that the model was read from
};

// A file or a folder. Nothing when there was an error; warnings may come along with a model.
std::optional<Loaded> load(const std::string& path, schema::Diagnostics& diagnostics);

// `doorward run http://…` without a configuration.
std::optional<Loaded> load_upstream(const std::string& url, schema::Diagnostics& diagnostics);

// The text of all files of a configuration, right or wrong, to see whether it changed; empty when
// there is nothing to read.
std::string read_text(const std::string& path);

// The kinds of policies that this program has.
PolicyKinds policy_kinds();

}  // namespace doorward::config
