#include "route/route_table.h"

#include <algorithm>

namespace doorward::route {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view to_string(RouteMatch::Why why) {
  switch (why) {
    case RouteMatch::Why::matched:
      return "matched";
    case RouteMatch::Why::no_host:
      return "no_host";
    case RouteMatch::Why::no_path:
      return "no_path";
    case RouteMatch::Why::no_method:
      return "no_method";
    case RouteMatch::Why::no_predicate:
      return "no_predicate";
  }
  return {};
}

// One question on its way: goes through the scopes of a host in their order and keeps the best.
class RouteTable::Search {
 public:
  Search(const RouteTable& table, const RouteRequest& request)
      : table_(table),
        request_(request),
        method_(table.methods_.bit_of(request)),
        segments_(request.path) {}

  bool run() {
    const std::string_view host = request_.host;
    if (try_scope(table_.hosts_.find(kExact, host))) return true;
    if (table_.longest_wildcard_ != 0 && try_wildcards(host)) return true;
    return try_scope(table_.any_scope_);
  }

  std::uint32_t best() const { return best_; }

  RouteMatch::Why why() const {
    if (best_ != kNone) return RouteMatch::Why::matched;
    if (allowed_ != 0) return RouteMatch::Why::no_method;
    if (path_fits_) return RouteMatch::Why::no_predicate;
    return host_fits_ ? RouteMatch::Why::no_path : RouteMatch::Why::no_host;
  }
  MethodSet allowed() const { return allowed_; }

  void fill_params(const Winner& winner, RouteMatch& to) const {
    to.names = winner.names;
    to.param_count = winner.params;
    if (winner.regex) return fill_groups(winner, to);
    for (unsigned i = 0; i < to.param_count; ++i) {
      const std::string_view value = segments_[winner.param_at[i]];
      to.params[i] = {value.data(), static_cast<std::uint32_t>(value.size())};
    }
  }

 private:
  void fill_groups(const Winner& winner, RouteMatch& to) const {
    re2::StringPiece groups[kMaxGroups + 1];
    const re2::RE2& regex = *table_.entries_[best_].path.regex;
    regex.Match(piece(request_.path), 0, request_.path.size(), re2::RE2::ANCHOR_BOTH, groups,
                regex.NumberOfCapturingGroups() + 1);
    for (unsigned i = 0; i < to.param_count; ++i) {
      const re2::StringPiece& group = groups[winner.param_at[i]];
      to.params[i] = {group.data(), static_cast<std::uint32_t>(group.size())};
    }
  }

  // From the left: what stands after an earlier dot has more labels.
  bool try_wildcards(std::string_view host) {
    std::size_t dot = host.find('.');
    if (host.size() > table_.longest_wildcard_ + 1) {
      dot = host.find('.', std::max(dot, host.size() - table_.longest_wildcard_ - 1));
    }
    for (; dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      if (try_scope(table_.hosts_.find(kWildcard, host.substr(dot + 1)))) return true;
    }
    return false;
  }

  bool try_scope(std::uint32_t index) {
    if (index == NameIndex::kNone) return false;
    const Scope& scope = table_.scopes_[index];
    host_fits_ = true;
    if (segments_.count() != 0) {
      table_.tree_.search(scope.root, segments_, [this](const Candidate* first, std::uint32_t n) {
        return try_candidates(first, n);
      });
    }
    if (best_ == kNone && scope.regexes != 0) try_regexes(scope);
    if (best_ == kNone) try_candidates(table_.others_.data() + scope.first_any, scope.anys);
    return best_ != kNone;
  }

  // In order of rank. Returns from which rank on candidates are of no more use.
  std::uint32_t try_candidates(const Candidate* first, std::uint32_t count) {
    for (const Candidate* at = first; at != first + count && at->rank < best_; ++at) {
      if (fits(*at)) best_ = at->rank;
    }
    return best_;
  }

  bool fits(const Candidate& candidate) {
    path_fits_ = true;
    if (candidate.conditions != Candidate::kNoConditions &&
        !table_.conditions_[candidate.conditions].hold(request_)) {
      return false;
    }
    if (candidate.methods == 0 || (candidate.methods & method_) != 0) return true;
    allowed_ |= candidate.methods;
    return false;
  }

  void try_regexes(const Scope& scope) {
    const Candidate* const first = table_.others_.data() + scope.first_regex;
    if (scope.set != nullptr && try_set(*scope.set, first)) return;
    for (std::uint32_t i = 0; i < scope.regexes && best_ == kNone; ++i) {
      const re2::RE2& regex = *table_.entries_[first[i].rank].path.regex;
      if (re2::RE2::FullMatch(piece(request_.path), regex)) try_candidates(first + i, 1);
    }
  }

  // False when the set ran out of memory and has no answer.
  bool try_set(const re2::RE2::Set& set, const Candidate* first) {
    thread_local std::vector<int> hits;  // kept, so that its memory is taken once a core
    hits.clear();
    re2::RE2::Set::ErrorInfo problem{re2::RE2::Set::kNoError};
    if (!set.Match(piece(request_.path), &hits, &problem)) {
      return problem.kind == re2::RE2::Set::kNoError;
    }
    std::ranges::sort(hits);
    for (int hit : hits) {
      if (best_ == kNone) try_candidates(first + hit, 1);
    }
    return true;
  }

  static constexpr std::uint32_t kNone = UINT32_MAX;

  const RouteTable& table_;
  const RouteRequest& request_;
  const MethodSet method_;
  const SegmentList segments_;
  std::uint32_t best_ = kNone;
  MethodSet allowed_ = 0;
  bool host_fits_ = false;
  bool path_fits_ = false;
};

RouteMatch RouteTable::match(const RouteRequest& request) const {
  RouteMatch out;
  Search search(*this, request);
  search.run();
  out.why = search.why();
  if (!out.matched()) {
    if (out.why == RouteMatch::Why::no_method) out.allowed = search.allowed();
    return out;
  }
  const Winner& winner = winners_[search.best()];
  out.route = winner.route;
  out.value = winner.value;
  if (winner.params != 0) search.fill_params(winner, out);
  return out;
}

}  // namespace doorward::route
