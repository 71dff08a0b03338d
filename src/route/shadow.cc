// RouteTable::shadowed: walks the tree with the pattern of each claim instead of a path, so that
// only claims that include it are looked at.
#include <fmt/format.h>

#include "route/route_table.h"

namespace doorward::route {
namespace {

std::string describe(const RouteTable::Entry& entry) {
  const std::string path = entry.path.kind == PathPattern::Kind::any ? "any path" : entry.path.text;
  return entry.host.text() + " " + path;
}

std::string reason_of(const RouteTable::Entry& lost, const RouteTable::Entry& won,
                      const std::string& name) {
  if (lost.host == won.host && lost.path.text == won.path.text && lost.path.kind == won.path.kind) {
    return fmt::format("route \"{}\" takes the same host, path and conditions and comes first",
                       name);
  }
  return fmt::format("{} of route \"{}\" takes precedence over {} and includes it", describe(won),
                     name, describe(lost));
}

}  // namespace

bool RouteTable::is_shadowed(std::uint32_t rank, std::uint32_t& by) const {
  const Entry& entry = entries_[rank];
  const Conditions& own = conditions_[entry.route];
  const Scope& scope = scopes_[entry.scope];
  std::uint32_t found = UINT32_MAX;
  const auto consider = [&](const Candidate& other) {
    if (other.rank >= rank || other.rank >= found) return;
    if (conditions_[entries_[other.rank].route].implied_by(own)) found = other.rank;
  };
  if (entry.path.kind == PathPattern::Kind::segments) {
    tree_.search_covering(scope.root, entry.path, consider);
  } else {
    // "/**" takes every path but that of "OPTIONS *".
    if (!entry.path.matches("*")) {
      PathPattern everything;
      everything.rest = true;
      tree_.search_covering(scope.root, everything, consider);
    }
    for (std::uint32_t i = 0; i < scope.regexes; ++i) {
      const Candidate& other = others_[scope.first_regex + i];
      if (entries_[other.rank].path.text == entry.path.text) consider(other);
    }
    for (std::uint32_t i = 0; i < scope.anys; ++i) consider(others_[scope.first_any + i]);
  }
  if (found == UINT32_MAX) return false;
  by = found;
  return true;
}

std::vector<RouteWarning> RouteTable::shadowed() const {
  struct State {
    bool reachable = false;
    std::uint32_t rank = UINT32_MAX, by = UINT32_MAX;  // a claim taken by another route's
  };
  std::vector<State> states(routes_.size());
  for (std::uint32_t rank = 0; rank < entries_.size(); ++rank) {
    State& state = states[entries_[rank].route];
    std::uint32_t by = 0;
    if (!is_shadowed(rank, by)) {
      state.reachable = true;
    } else if (state.by == UINT32_MAX && entries_[by].route != entries_[rank].route) {
      state.rank = rank;
      state.by = by;
    }
  }
  std::vector<RouteWarning> out;
  for (std::uint32_t route = 0; route < states.size(); ++route) {
    const State& state = states[route];
    if (state.reachable || state.by == UINT32_MAX) continue;
    const Entry& won = entries_[state.by];
    out.push_back(
        {route, won.route, reason_of(entries_[state.rank], won, routes_[won.route].name)});
  }
  return out;
}

}  // namespace doorward::route
