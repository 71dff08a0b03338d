#include "route/explain.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

#include "route/reasons.h"

namespace doorward::route {
namespace {

// A route with the claim of its that comes nearest.
struct Nearest {
  std::uint32_t rank = 0;
  Difference difference;
};

std::string path_text(const PathPattern& path) {
  return path.kind == PathPattern::Kind::any ? "any path" : path.text;
}

std::string claim_text(const RouteTable::Entry& entry) {
  return entry.host.text() + " " + path_text(entry.path);
}

std::string precedence_text(const RouteTable& table, const RouteTable::Entry& won,
                            const RouteTable::Entry& next) {
  const std::string& name = table.routes()[next.route].name;
  if (won.host.rank() != next.host.rank()) {
    return fmt::format("its host {} is more precise than {} of route \"{}\"", won.host.text(),
                       next.host.text(), name);
  }
  if (won.path.kinds != next.path.kinds) {
    return fmt::format("its path {} is more precise than {} of route \"{}\"", path_text(won.path),
                       path_text(next.path), name);
  }
  if (won.predicates != next.predicates) {
    return fmt::format("it has more conditions than route \"{}\": {} against {}", name,
                       won.predicates, next.predicates);
  }
  return fmt::format("it comes before route \"{}\" in the configuration", name);
}

std::vector<Nearest> nearest_claims(const RouteTable& table, const RouteRequest& request) {
  std::vector<Nearest> by_route(table.routes().size());
  std::vector<bool> seen(by_route.size());
  for (std::uint32_t rank = 0; rank < table.entries().size(); ++rank) {
    const RouteTable::Entry& entry = table.entries()[rank];
    Difference found = difference(table, entry, request);
    Nearest& nearest = by_route[entry.route];
    if (seen[entry.route] && nearest.difference.distance <= found.distance) continue;
    seen[entry.route] = true;
    nearest = {rank, std::move(found)};
  }
  std::ranges::sort(by_route, [](const Nearest& a, const Nearest& b) {
    return std::tie(a.difference.distance, a.rank) < std::tie(b.difference.distance, b.rank);
  });
  return by_route;
}

}  // namespace

Explanation explain(const RouteTable& table, const RouteRequest& request, std::size_t limit) {
  Explanation out;
  const RouteMatch match = table.match(request);
  out.why = match.why;
  if (match.matched()) out.winner = match.route;
  std::vector<Nearest> nearest = nearest_claims(table, request);
  if (nearest.size() > 1 && nearest[1].difference.distance == 0) {
    out.precedence =
        precedence_text(table, table.entries()[nearest[0].rank], table.entries()[nearest[1].rank]);
  }
  nearest.resize(std::min(nearest.size(), limit));
  for (Nearest& one : nearest) {
    const RouteTable::Entry& entry = table.entries()[one.rank];
    out.candidates.push_back({entry.route, table.routes()[entry.route].name, claim_text(entry),
                              one.difference.distance == 0, std::move(one.difference.reasons)});
  }
  return out;
}

}  // namespace doorward::route
