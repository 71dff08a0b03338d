// explain: why a request takes the route that it takes, and why others nearly did. For people
// (`doorward explain`, the console); slow, allocates, never on a request's path.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "route/route_table.h"

namespace doorward::route {

struct ExplainedRoute {
  std::uint32_t route = 0;
  std::string name;
  std::string claim;     // the nearest of its hosts and paths: "api.example.com /a/{id}"
  bool matches = false;  // would take the request if it were asked first
  std::vector<std::string> reasons;  // why not: "method is DELETE, the route takes GET, POST"
};

struct Explanation {
  RouteMatch::Why why = RouteMatch::Why::no_host;
  std::optional<std::uint32_t> winner;
  // Why the winner comes before the next route that matches; empty when there is none.
  std::string precedence;
  // Those that match, in order of precedence (the winner first), then those that nearly do,
  // nearest first.
  std::vector<ExplainedRoute> candidates;
};

Explanation explain(const RouteTable& table, const RouteRequest& request, std::size_t limit = 8);

}  // namespace doorward::route
