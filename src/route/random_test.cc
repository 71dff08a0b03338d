// RouteTable against a matcher that knows nothing of trees and ranks: it tries every route with
// the documented precedence, on random tables and requests from a small alphabet, so that many
// routes compete.
#include "base/random.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "route/route_table.h"

namespace doorward::route {
namespace {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  template <class T>
  T pick(std::initializer_list<T> from) {
    return *(from.begin() + random_.below(from.size()));
  }
  bool once_in(std::uint64_t n) { return random_.below(n) == 0; }

  std::string host() {
    return pick<std::string>({"a.b", "c.a.b", "b", "x.c.a.b", "*", "*.b", "*.a.b"});
  }
  PathMatch path() {
    if (once_in(8)) {
      return {
          pick<std::string>({"/[ab]+", "/.*", "/a(/.*)?", "/(a|b)/.*x", "/ab", "[^/]*", "/a/?"}),
          true};
    }
    std::string out;
    const auto segments = random_.below(4);
    for (std::uint64_t i = 0; i < segments; ++i) {
      out += "/" + pick<std::string>({"a", "b", "ab", "{p" + std::to_string(i) + "}", "a*", "*b"});
    }
    out += pick<std::string>({"", "", "/", "/**"});
    return {out.empty() ? "/" : out};
  }
  ValueMatch value() {
    using Kind = ValueMatch::Kind;
    return pick<ValueMatch>({{Kind::equals, "1"},
                             {Kind::equals, "12"},
                             {Kind::present, ""},
                             {Kind::absent, ""},
                             {Kind::prefix, "1"},
                             {Kind::regex, "^1"}});
  }
  Match match() {
    Match out;
    while (once_in(2)) out.hosts.push_back(host());
    while (!once_in(3) && out.paths.size() < 3) out.paths.push_back(path());
    while (once_in(3)) out.methods.push_back(pick<std::string>({"GET", "POST", "PURGE"}));
    while (once_in(4)) out.headers.push_back({pick<std::string>({"x-a", "Accept"}), value()});
    while (once_in(5)) out.queries.push_back({pick<std::string>({"q", "r"}), value()});
    while (once_in(6)) out.cookies.push_back({"c", value()});
    while (once_in(6)) {
      out.clients.push_back(pick<std::string>({"10.0.0.0/8", "10.1.0.0/16", "::/0"}));
    }
    return out;
  }
  std::string request_path() {
    if (once_in(30)) return "*";
    std::string out;
    const auto segments = random_.below(5);
    for (std::uint64_t i = 0; i < segments; ++i) {
      out += "/" + pick<std::string>({"a", "b", "ab", "ax", "xb", "axb", "c"});
    }
    return out.empty() || once_in(6) ? out + "/" : out;
  }

 private:
  Random random_;
};

// The documented precedence, said again in the words of the guide.
struct Claim {
  HostPattern host;
  PathPattern path;
  unsigned predicates;
  std::uint32_t route;
};

int segment_class(const PathPattern& path, std::size_t i) {
  if (i < path.segments.size()) return 1 + static_cast<int>(path.segments[i].kind);
  return i == path.segments.size() && path.rest ? 4 : 0;  // 0: it has ended
}

bool path_precedes(const PathPattern& a, const PathPattern& b, bool& equal) {
  equal = false;
  const auto class_of = [](const PathPattern& path) {
    return path.kind == PathPattern::Kind::segments ? 0
           : path.kind == PathPattern::Kind::regex  ? 1
                                                    : 2;
  };
  if (class_of(a) != class_of(b)) return class_of(a) < class_of(b);
  for (std::size_t i = 0; i <= std::max(a.segments.size(), b.segments.size()); ++i) {
    const int left = segment_class(a, i), right = segment_class(b, i);
    if (left != right) return left < right;
  }
  equal = true;
  return false;
}

bool precedes(const Claim& a, const Claim& b) {
  const auto host_class = [](const HostPattern& host) {
    if (host.kind == HostPattern::Kind::exact) return 1000u;
    return host.kind == HostPattern::Kind::any ? 0u : host.labels;
  };
  if (host_class(a.host) != host_class(b.host)) return host_class(a.host) > host_class(b.host);
  bool equal = false;
  const bool path_first = path_precedes(a.path, b.path, equal);
  if (!equal) return path_first;
  if (a.predicates != b.predicates) return a.predicates > b.predicates;
  return a.route < b.route;
}

struct Answer {
  RouteMatch::Why why = RouteMatch::Why::no_host;
  std::uint32_t route = RouteMatch::kNone;
  MethodSet allowed = 0;
};

Answer naive(const RouteTable& table, const RouteRequest& request) {
  std::optional<Claim> best;
  bool host_fits = false, path_fits = false;
  MethodSet allowed = 0;
  const MethodSet method = table.method_names().bit_of(request);
  for (const RouteTable::Entry& entry : table.entries()) {
    if (!entry.host.matches(request.host)) continue;
    host_fits = true;
    if (!entry.path.matches(request.path)) continue;
    path_fits = true;
    const Conditions& conditions = table.conditions(entry);
    if (!conditions.hold(request)) continue;
    if (conditions.methods != 0 && (conditions.methods & method) == 0) {
      allowed |= conditions.methods;
      continue;
    }
    Claim claim{entry.host, entry.path, conditions.count(), entry.route};
    if (!best || precedes(claim, *best)) best = std::move(claim);
  }
  using Why = RouteMatch::Why;
  if (best) return {Why::matched, best->route, 0};
  if (allowed != 0) return {Why::no_method, RouteMatch::kNone, allowed};
  if (path_fits) return {Why::no_predicate, RouteMatch::kNone, 0};
  return {host_fits ? Why::no_path : Why::no_host, RouteMatch::kNone, 0};
}

struct RandomRequest {
  explicit RandomRequest(Generator& generator) : headers(arena) {
    request.host = generator.pick<std::string_view>({"a.b", "c.a.b", "b", "x.c.a.b", "y", "z.b"});
    path = generator.request_path();
    request.path = path;
    request.query = generator.pick<std::string_view>({"", "q=1", "q=12&r=2", "r=1&q=3&q=1", "%71"});
    request.method = generator.pick<http::Method>(
        {http::Method::get, http::Method::post, http::Method::other, http::Method::del});
    request.method_text = generator.pick<std::string_view>({"PURGE", "LOCK"});
    if (generator.once_in(2))
      headers.add("X-A", generator.pick<std::string_view>({"1", "12", "2"}));
    if (generator.once_in(3)) headers.add("accept", "12");
    if (generator.once_in(3)) headers.add("cookie", "b=2; c=1");
    request.headers = &headers;
    const auto ip = *text::parse_ip(generator.pick<const char*>({"10.1.0.1", "10.2.0.1", "::1"}));
    std::ranges::copy(ip, request.client_ip);
  }
  Arena arena;
  http::HeaderList headers;
  std::string path;
  RouteRequest request;
};

std::vector<RouteSpec> random_routes(Generator& generator, std::size_t most) {
  std::vector<RouteSpec> out;
  do {
    out.push_back(
        {std::to_string(out.size()), generator.match(), static_cast<std::uint32_t>(out.size())});
  } while (out.size() < most && !generator.once_in(12));
  return out;
}

std::string describe(const RouteTable& table, const RouteRequest& request) {
  std::string out = std::string(request.host) + " " + std::string(request.path) + "\n";
  for (const RouteTable::Entry& entry : table.entries()) {
    out += table.routes()[entry.route].name + ": " + entry.host.text() + " " + entry.path.text +
           (entry.path.kind == PathPattern::Kind::regex ? " (regex)\n" : "\n");
  }
  return out;
}

TEST(RandomRoutes, TableAgreesWithTryingEveryRoute) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Generator generator(seed);
    auto table = RouteTable::build(random_routes(generator, 40));
    ASSERT_TRUE(table) << seed << ": " << to_string(table.error()[0]);
    for (int i = 0; i < 10; ++i) {
      const RandomRequest random(generator);
      const RouteMatch match = table->match(random.request);
      const Answer expected = naive(*table, random.request);
      ASSERT_EQ(match.why, expected.why) << seed << "\n" << describe(*table, random.request);
      ASSERT_EQ(match.route, expected.route) << seed << "\n" << describe(*table, random.request);
      ASSERT_EQ(match.allowed, expected.allowed) << seed;
    }
  }
}

// What shadowed() names never wins; that is what it promises.
TEST(RandomRoutes, ShadowedRoutesNeverWin) {
  std::size_t warned = 0;
  for (std::uint64_t seed = 5000; seed < 5300; ++seed) {
    Generator generator(seed);
    auto table = RouteTable::build(random_routes(generator, 40));
    ASSERT_TRUE(table);
    const auto warnings = table->shadowed();
    warned += warnings.size();
    if (warnings.empty()) continue;
    for (int i = 0; i < 100; ++i) {
      const RandomRequest random(generator);
      const RouteMatch match = table->match(random.request);
      for (const RouteWarning& warning : warnings) {
        ASSERT_NE(match.route, warning.route) << seed << " " << warning.reason;
      }
    }
  }
  EXPECT_GT(warned, 50u);
}

}  // namespace
}  // namespace doorward::route
