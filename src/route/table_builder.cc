// Building a RouteTable: parse everything and collect all errors, put the claims into their total
// order, then fill tree, host index and regex sets in that order.
#include <algorithm>
#include <fmt/format.h>
#include <tuple>
#include <unordered_set>

#include "route/route_table.h"

namespace doorward::route {
namespace {

// From so many regular expressions on they are tried all at once.
constexpr std::uint32_t kManyRegexes = 8;

std::string indexed(const char* field, std::size_t i, std::size_t of) {
  return of == 1 ? std::string(field) : fmt::format("{}[{}]", field, i);
}

}  // namespace

std::string to_string(const RouteError& error) {
  return fmt::format("route \"{}\", {}: {}", error.name, error.field, error.text);
}

class TableBuilder {
 public:
  explicit TableBuilder(std::vector<RouteSpec> routes) { table_.routes_ = std::move(routes); }

  std::expected<RouteTable, std::vector<RouteError>> run() {
    for (std::uint32_t i = 0; i < table_.routes_.size(); ++i) add_route(i);
    if (!errors_.empty()) return std::unexpected(std::move(errors_));
    sort_entries();
    for (std::uint32_t rank = 0; rank < table_.entries_.size(); ++rank) claim(rank);
    gather_others();
    for (const RouteTable::Entry& entry : table_.entries_) {
      table_.winners_.push_back(winner_of(entry));
    }
    table_.tree_.seal();
    return std::move(table_);
  }

 private:
  void report(std::uint32_t route, std::string field, std::string text) {
    errors_.push_back({route, table_.routes_[route].name, std::move(field), std::move(text)});
  }

  std::vector<HostPattern> parse_hosts(std::uint32_t route) {
    const auto& hosts = table_.routes_[route].match.hosts;
    std::vector<HostPattern> out;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      if (auto host = parse_host(hosts[i])) {
        if (seen.insert(host->text()).second) out.push_back(std::move(*host));
      } else {
        report(route, indexed("host", i, hosts.size()), host.error());
      }
    }
    if (hosts.empty()) out.emplace_back();
    return out;
  }

  std::vector<PathPattern> parse_paths(std::uint32_t route) {
    const auto& paths = table_.routes_[route].match.paths;
    std::vector<PathPattern> out;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (auto path = parse_path(paths[i])) {
        out.push_back(std::move(*path));
      } else {
        report(route, indexed("path", i, paths.size()), path.error());
      }
    }
    if (paths.empty()) out.emplace_back();
    return out;
  }

  void add_route(std::uint32_t route) {
    std::vector<FieldProblem> problems;
    table_.conditions_.push_back(
        compile_conditions(table_.routes_[route].match, table_.methods_, problems));
    for (FieldProblem& problem : problems) report(route, problem.field, problem.text);
    const unsigned predicates = table_.conditions_.back().count();
    const auto paths = parse_paths(route);
    for (const HostPattern& host : parse_hosts(route)) {
      for (const PathPattern& path : paths) {
        const auto order = static_cast<std::uint32_t>(table_.entries_.size());
        table_.entries_.push_back({route, order, 0, host, path, predicates});
      }
    }
  }

  // The documented precedence, in one place.
  void sort_entries() {
    std::ranges::sort(table_.entries_, [](const RouteTable::Entry& a, const RouteTable::Entry& b) {
      if (a.host.rank() != b.host.rank()) return a.host.rank() < b.host.rank();
      if (a.path.kinds != b.path.kinds) return a.path.kinds < b.path.kinds;
      if (a.predicates != b.predicates) return a.predicates > b.predicates;
      return a.order < b.order;
    });
  }

  void claim(std::uint32_t rank) {
    RouteTable::Entry& entry = table_.entries_[rank];
    entry.scope = scope_of(entry.host);
    const Conditions& conditions = table_.conditions_[entry.route];
    const Candidate candidate{rank,
                              conditions.only_methods() ? Candidate::kNoConditions : entry.route,
                              conditions.methods};
    switch (entry.path.kind) {
      case PathPattern::Kind::segments:
        table_.tree_.add(table_.scopes_[entry.scope].root, entry.path, candidate);
        break;
      case PathPattern::Kind::regex:
        regexes_[entry.scope].push_back(candidate);
        break;
      case PathPattern::Kind::any:
        anys_[entry.scope].push_back(candidate);
        break;
    }
  }

  RouteTable::Winner winner_of(const RouteTable::Entry& entry) const {
    RouteTable::Winner out;
    out.route = entry.route;
    out.value = table_.routes_[entry.route].value;
    out.names = entry.path.params.data();
    out.params = static_cast<std::uint8_t>(entry.path.params.size());
    out.regex = entry.path.kind == PathPattern::Kind::regex;
    std::ranges::copy(entry.path.param_at, out.param_at);
    return out;
  }

  std::uint32_t scope_of(const HostPattern& host) {
    const auto next = static_cast<std::uint32_t>(table_.scopes_.size());
    std::uint32_t index = next;
    if (host.kind == HostPattern::Kind::any) {
      if (table_.any_scope_ == NameIndex::kNone) table_.any_scope_ = next;
      index = table_.any_scope_;
    } else {
      const bool wildcard = host.kind == HostPattern::Kind::wildcard;
      index =
          table_.hosts_.add(wildcard ? RouteTable::kWildcard : RouteTable::kExact, host.name, next);
      if (wildcard) {
        table_.longest_wildcard_ = std::max(table_.longest_wildcard_, host.name.size());
      }
    }
    if (index == next) {
      table_.scopes_.emplace_back().root = table_.tree_.add_root();
      regexes_.emplace_back();
      anys_.emplace_back();
    }
    return index;
  }

  void gather_others() {
    const auto append = [&](const std::vector<Candidate>& from) {
      const auto first = static_cast<std::uint32_t>(table_.others_.size());
      table_.others_.insert(table_.others_.end(), from.begin(), from.end());
      return std::pair(first, static_cast<std::uint32_t>(from.size()));
    };
    for (std::size_t i = 0; i < table_.scopes_.size(); ++i) {
      RouteTable::Scope& scope = table_.scopes_[i];
      std::tie(scope.first_regex, scope.regexes) = append(regexes_[i]);
      std::tie(scope.first_any, scope.anys) = append(anys_[i]);
      if (scope.regexes >= kManyRegexes) scope.set = make_set(scope);
    }
  }

  // Null when the set is too large to compile; they are then tried one by one.
  std::unique_ptr<re2::RE2::Set> make_set(const RouteTable::Scope& scope) const {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(64 << 20);
    auto set = std::make_unique<re2::RE2::Set>(options, re2::RE2::ANCHOR_BOTH);
    for (std::uint32_t i = 0; i < scope.regexes; ++i) {
      const Candidate& candidate = table_.others_[scope.first_regex + i];
      if (set->Add(table_.entries_[candidate.rank].path.text, nullptr) != static_cast<int>(i)) {
        return nullptr;
      }
    }
    return set->Compile() ? std::move(set) : nullptr;
  }

  RouteTable table_;
  std::vector<RouteError> errors_;
  std::vector<std::vector<Candidate>> regexes_, anys_;  // of each scope, by rank
};

std::expected<RouteTable, std::vector<RouteError>> RouteTable::build(
    std::vector<RouteSpec> routes) {
  return TableBuilder(std::move(routes)).run();
}

}  // namespace doorward::route
