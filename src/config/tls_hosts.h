// Hosts that routes name and no certificate does. Only where it is clear that a route is asked for
// over TLS: a listener in cleartext may be where its other hosts come in.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/model.h"

namespace doorward::config {

struct UncoveredHost {
  std::size_t route = 0;
  std::size_t index = 0;  // of the route's hosts
  std::string host;
};

// `names`: of all certificates of all listeners, in lower case.
std::vector<UncoveredHost> uncovered_hosts(const Model& model, std::span<const std::string> names);

}  // namespace doorward::config
