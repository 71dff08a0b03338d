// What the text of one route tells beyond its match: templates that name a parameter which no path
// of the route has (an error: such a value is always empty), and methods that look like a typo (a
// warning: a method of one's own is right).
#pragma once

#include "config/model.h"

namespace doorward::config {

// `path` is the route's ("routes[2]"), `node` its map.
void check_params(const RouteConfig& route, const text::Node& node, const std::string& path,
                  schema::Diagnostics& diagnostics);
void warn_methods(const RouteConfig& route, const text::Node& node, const std::string& path,
                  schema::Diagnostics& diagnostics);

}  // namespace doorward::config
