// check: reads a configuration as `run` would, and tells all that is wrong with it.
#include <fmt/format.h>

#include "app/commands.h"

namespace doorward::app {

int check(const std::string& path, bool json) {
  schema::Diagnostics diagnostics;
  std::optional<config::Loaded> loaded = config::load(path, diagnostics);
  if (loaded) config::dry_run(loaded->model, loaded->written, diagnostics);
  if (json) {
    fmt::print("{}\n", diagnostics.to_json().dump(2));
  } else {
    fmt::print(stderr, "{}", diagnostics.to_text());
    if (diagnostics.ok()) {
      fmt::print("{}: {} routes, {} services, {} listeners: good\n", path,
                 loaded->model.routes.size(), loaded->model.services.size(),
                 loaded->model.listeners.size());
    }
  }
  return diagnostics.ok() ? 0 : kBadConfiguration;
}

}  // namespace doorward::app
