// Sentences on why one claim does not take a request. For explain only.
#pragma once

#include <string>
#include <vector>

#include "route/route_table.h"

namespace doorward::route {

// What keeps a claim from taking a request, and how far off it is: hosts weigh more than paths,
// paths more the earlier they differ, conditions least. 0: it matches.
struct Difference {
  unsigned distance = 0;
  std::vector<std::string> reasons;
};

Difference difference(const RouteTable& table, const RouteTable::Entry& entry,
                      const RouteRequest& request);

}  // namespace doorward::route
