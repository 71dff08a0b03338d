// The text of a configuration: one file, or a folder whose *.yaml and *.yml files are read in the
// order of their names and joined. Gives the tree; what the keys mean is the model's business.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "schema/diagnostics.h"
#include "text/yaml.h"

namespace doorward::config {

struct Source {
  text::Node root;
  std::vector<std::string> files;  // what was read, in order
};

// The files that load_source reads; none when there is nothing to read, or no right to.
std::vector<std::string> source_files(const std::filesystem::path& path);

// Nothing when it added an error: each file that cannot be read, and all that is no YAML.
std::optional<Source> load_source(const std::filesystem::path& path,
                                  schema::Diagnostics& diagnostics);

}  // namespace doorward::config
