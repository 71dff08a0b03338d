// RouteTable: which route takes a request. Built from the configuration's routes, immutable, part
// of a Snapshot and shared by all cores.
//
// Precedence (docs/guide/routing.md): an exact host, then wildcards with more labels, then any;
// then the path, segment by segment from the left: literal, {param}, * glob, ** (a regular
// expression comes after all of these, a route without a path last); then the number of further
// predicates; then the order in the configuration. This is one total order of all (host, path)
// claims, made when the table is built; the first claim in it that fits wins. A search therefore
// looks for the least rank that fits and leaves out what cannot have a lesser one.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <re2/set.h>
#include <string>
#include <string_view>
#include <vector>

#include "route/conditions.h"
#include "route/host_pattern.h"
#include "route/match.h"
#include "route/name_index.h"
#include "route/path_pattern.h"
#include "route/path_tree.h"
#include "route/request.h"

namespace doorward::route {

struct RouteSpec {
  std::string name;
  Match match;
  std::uint32_t value = 0;  // given back in RouteMatch
};

struct RouteError {
  std::uint32_t route = 0;  // index in the list
  std::string name;         // of the route
  std::string field;        // "path[1]", "header.x-a"
  std::string text;         // what is wrong
};
// route "orders", path[1]: "**" must be the whole last segment
std::string to_string(const RouteError& error);

// A route that no request can reach.
struct RouteWarning {
  std::uint32_t route = 0;
  std::uint32_t shadowed_by = 0;
  std::string reason;
};

class RouteTable {
 public:
  // One claim: a route with one of its hosts and one of its paths.
  struct Entry {
    std::uint32_t route = 0;
    std::uint32_t order = 0;  // as declared
    std::uint32_t scope = 0;
    HostPattern host;
    PathPattern path;
    unsigned predicates = 0;
  };

  // All errors, not the first.
  static std::expected<RouteTable, std::vector<RouteError>> build(std::vector<RouteSpec> routes);

  RouteMatch match(const RouteRequest& request) const;

  // The value of an Allow field for RouteMatch::allowed. Allocates: for refusals.
  std::string allow(MethodSet methods) const { return methods_.text(methods); }

  // Routes that are certainly out of reach, each with one that takes its requests. Not every such
  // route is found: only where host, path and conditions of the other visibly include its own.
  std::vector<RouteWarning> shadowed() const;

  const std::vector<RouteSpec>& routes() const { return routes_; }
  // In order of precedence: the index is the rank.
  const std::vector<Entry>& entries() const { return entries_; }
  const Conditions& conditions(const Entry& entry) const { return conditions_[entry.route]; }
  const MethodNames& method_names() const { return methods_; }

 private:
  friend class TableBuilder;
  // The claims on one declared host.
  struct Scope {
    PathTree::NodeId root = 0;
    std::uint32_t first_regex = 0, regexes = 0;  // in others_
    std::uint32_t first_any = 0, anys = 0;       // in others_
    std::unique_ptr<re2::RE2::Set> set;          // all regexes at once, when there are many
  };
  // What a search's winner needs at hand, a cache line for each rank.
  struct alignas(64) Winner {
    std::uint32_t route = 0;
    std::uint32_t value = 0;
    const std::string* names = nullptr;
    std::uint8_t params = 0;
    bool regex = false;
    std::uint8_t param_at[kMaxParams] = {};
  };
  class Search;

  // Owners in hosts_.
  static constexpr std::uint32_t kExact = 0;
  static constexpr std::uint32_t kWildcard = 1;

  RouteTable() = default;
  bool is_shadowed(std::uint32_t rank, std::uint32_t& by) const;

  std::vector<RouteSpec> routes_;
  std::vector<Entry> entries_;
  std::vector<Winner> winners_;         // by rank
  std::vector<Conditions> conditions_;  // of each route
  MethodNames methods_;
  NameIndex hosts_;                   // (0 exact, 1 wildcard; name) -> scope
  std::size_t longest_wildcard_ = 0;  // 0: there is none
  std::uint32_t any_scope_ = NameIndex::kNone;
  std::vector<Scope> scopes_;
  PathTree tree_;
  std::vector<Candidate> others_;  // claims whose path is a regex or missing, scope by scope
};

}  // namespace doorward::route
