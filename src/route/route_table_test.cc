#include "route/route_table.h"

#include <chrono>
#include <ctime>
#include <gtest/gtest.h>
#include <string>

#include "base/arena.h"

namespace doorward::route {
namespace {

using Why = RouteMatch::Why;

RouteSpec route(std::string name, Match match) { return {std::move(name), std::move(match), 0}; }
RouteSpec on_path(std::string path) { return route(path, {.paths = {{path}}}); }
RouteSpec on_host(std::string host) { return route(host, {.hosts = {host}}); }

class Routes {
 public:
  explicit Routes(std::vector<RouteSpec> specs) : table_(*RouteTable::build(std::move(specs))) {}

  RouteMatch match(const RouteRequest& request) const { return table_.match(request); }
  // The name of the winner, or why there is none.
  std::string winner(const RouteRequest& request) const {
    const RouteMatch match = table_.match(request);
    if (match.matched()) return table_.routes()[match.route].name;
    return "! " + std::string(to_string(match.why));
  }
  std::string at(std::string_view path) const { return winner({.host = "h", .path = path}); }
  const RouteTable& table() const { return table_; }

 private:
  RouteTable table_;
};

std::string build_error(Match match) {
  auto table = RouteTable::build({route("r", std::move(match))});
  return table ? "" : to_string(table.error()[0]);
}

std::chrono::nanoseconds thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

TEST(RouteTable, AnEmptyOneHasNoHost) { EXPECT_EQ(Routes({}).at("/"), "! no_host"); }

TEST(RouteTable, MorePreciseHostsComeFirst) {
  Routes routes({on_host("*"), on_host("*.example.com"), on_host("*.api.example.com"),
                 on_host("api.example.com"), on_host("[::1]")});
  const auto at = [&](std::string_view host) { return routes.winner({.host = host, .path = "/"}); };
  EXPECT_EQ(at("api.example.com"), "api.example.com");
  EXPECT_EQ(at("www.example.com"), "*.example.com");
  EXPECT_EQ(at("a.b.example.com"), "*.example.com");
  EXPECT_EQ(at("v1.api.example.com"), "*.api.example.com");
  EXPECT_EQ(at("example.com"), "*");
  EXPECT_EQ(at("xexample.com"), "*");
  EXPECT_EQ(at("[::1]"), "[::1]");
  EXPECT_EQ(at(""), "*");
}

// The limit is generous and of this thread's own processor time, so a slow machine does not matter.
TEST(RouteTable, OneRouteMayTakeTensOfThousandsOfHosts) {
  Match match;
  for (int i = 0; i < 20'000; ++i) {
    match.hosts.push_back("shop-" + std::to_string(i) + ".example.com");
    match.hosts.push_back("Shop-" + std::to_string(i) + ".example.com");  // the same
  }
  const auto begin = thread_time();
  Routes routes({route("shops", std::move(match))});
  EXPECT_LT(thread_time() - begin, std::chrono::seconds(3));
  EXPECT_EQ(routes.table().entries().size(), 20'000u);
  EXPECT_EQ(routes.winner({.host = "shop-19999.example.com", .path = "/"}), "shops");
}

TEST(RouteTable, FallsBackToALessPreciseHost) {
  Routes routes({route("exact", {.hosts = {"a.b"}, .paths = {{"/x"}}}),
                 route("wild", {.hosts = {"*.b"}, .paths = {{"/y"}}}),
                 route("any", {.paths = {{"/**"}}})});
  EXPECT_EQ(routes.winner({.host = "a.b", .path = "/x"}), "exact");
  EXPECT_EQ(routes.winner({.host = "a.b", .path = "/y"}), "wild");
  EXPECT_EQ(routes.winner({.host = "a.b", .path = "/z"}), "any");
}

TEST(RouteTable, LongHostsDoNotMissAWildcard) {
  Routes routes({on_host("*.b.c")});
  const std::string host = std::string(200, 'x') + ".y.b.c";
  EXPECT_EQ(routes.winner({.host = host, .path = "/"}), "*.b.c");
  EXPECT_EQ(routes.winner({.host = "b.c", .path = "/"}), "! no_host");
}

TEST(RouteTable, PathsCompareSegmentBySegment) {
  Routes routes({on_path("/**"), on_path("/a/**"), on_path("/a/*.png"), on_path("/a/{id}"),
                 on_path("/a/b"), on_path("/{x}/b/c"), on_path("/a/{id}/c"), on_path("/a"),
                 on_path("/g/*.png/**")});
  EXPECT_EQ(routes.at("/a/b"), "/a/b");
  EXPECT_EQ(routes.at("/a/x"), "/a/{id}");
  EXPECT_EQ(routes.at("/a/b/c"), "/a/{id}/c");
  EXPECT_EQ(routes.at("/a/b/d"), "/a/**");
  EXPECT_EQ(routes.at("/x/b/c"), "/{x}/b/c");
  EXPECT_EQ(routes.at("/a"), "/a");
  EXPECT_EQ(routes.at("/a/"), "/a/**");
  EXPECT_EQ(routes.at("/"), "/**");
  EXPECT_EQ(routes.at("/g/x.png"), "/g/*.png/**");
  EXPECT_EQ(routes.at("/g/x.png/y/z"), "/g/*.png/**");
  EXPECT_EQ(routes.at("/g/x.gif"), "/**");
}

TEST(RouteTable, LaterSegmentsDecideBetweenGlobs) {
  Routes routes({on_path("/a*/{p}"), on_path("/*b/x")});
  EXPECT_EQ(routes.at("/ab/x"), "/*b/x");
  EXPECT_EQ(routes.at("/ab/y"), "/a*/{p}");
}

TEST(RouteTable, TrailingSlashIsASegment) {
  Routes routes({on_path("/a/"), on_path("/b"), on_path("/c/{id}"), on_path("/d/*")});
  EXPECT_EQ(routes.at("/a/"), "/a/");
  EXPECT_EQ(routes.at("/a"), "! no_path");
  EXPECT_EQ(routes.at("/b/"), "! no_path");
  EXPECT_EQ(routes.at("/c/"), "! no_path");
  EXPECT_EQ(routes.at("/d/"), "! no_path");
}

TEST(RouteTable, RegexComesAfterPatternsAndBeforeNoPath) {
  Routes routes({route("any", {}), route("regex", {.paths = {{"/v[0-9]+/.*", true}}}),
                 route("prefix", {.paths = {{"/v1/**"}}})});
  EXPECT_EQ(routes.at("/v1/x"), "prefix");
  EXPECT_EQ(routes.at("/v2/x"), "regex");
  EXPECT_EQ(routes.at("/xv2/x"), "any");
  EXPECT_EQ(routes.at("*"), "any");
}

TEST(RouteTable, ManyRegexesKeepTheirOrder) {
  std::vector<RouteSpec> specs;
  for (int i = 0; i < 30; ++i) {
    specs.push_back(
        route(std::to_string(i), {.paths = {{"/[a-z]{" + std::to_string(i) + ",}", true}}}));
  }
  specs.push_back(route("post", {.paths = {{"/[a-z]+", true}}, .methods = {"POST"}}));
  Routes routes(std::move(specs));
  EXPECT_EQ(routes.at("/abcdef"), "0");
  EXPECT_EQ(routes.winner({.host = "h", .path = "/abc", .method = http::Method::post}), "post");
  EXPECT_EQ(routes.at("/9"), "! no_path");
}

TEST(RouteTable, GivesParameters) {
  Routes routes({on_path("/a/{id}/b/{name}/**"), on_path("/x/{last}")});
  const RouteMatch match = routes.match({.host = "h", .path = "/a/1%20/b/n/rest"});
  ASSERT_TRUE(match.matched());
  EXPECT_EQ(match.param_count, 2);
  EXPECT_EQ(match.param("id"), "1%20");
  EXPECT_EQ(match.param("name"), "n");
  EXPECT_EQ(match.param("none"), std::nullopt);
  EXPECT_EQ(routes.match({.host = "h", .path = "/x/yz"}).param("last"), "yz");
}

TEST(RouteTable, GivesNamedGroupsOfARegex) {
  Routes routes({route("r", {.paths = {{"/(a|b)/(?P<id>[0-9]+)", true}}})});
  const RouteMatch match = routes.match({.host = "h", .path = "/b/17"});
  ASSERT_TRUE(match.matched());
  EXPECT_EQ(match.param("id"), "17");
}

TEST(RouteTable, PatternsAreBroughtIntoNormalForm) {
  Routes routes({on_path("/caf\xc3\xa9"), on_path("/%7euser/a b"), on_path("/x*%c3%a9")});
  EXPECT_EQ(routes.at("/caf%C3%A9"), "/caf\xc3\xa9");
  EXPECT_EQ(routes.at("/~user/a%20b"), "/%7euser/a b");
  EXPECT_EQ(routes.at("/x1%C3%A9"), "/x*%c3%a9");
}

TEST(RouteTable, SaysWhichMethodsWouldDo) {
  Routes routes({route("get", {.paths = {{"/a"}}, .methods = {"GET", "HEAD"}}),
                 route("purge", {.paths = {{"/a"}}, .methods = {"PURGE"}}),
                 route("put", {.paths = {{"/a"}}, .methods = {"PUT"}, .headers = {{"x-a", {}}}})});
  RouteRequest request{.host = "h", .path = "/a", .method = http::Method::del};
  EXPECT_EQ(routes.winner(request), "! no_method");
  EXPECT_EQ(routes.table().allow(routes.match(request).allowed), "GET, HEAD, PURGE");
  request.method = http::Method::other;
  request.method_text = "PURGE";
  EXPECT_EQ(routes.winner(request), "purge");
  request.method_text = "LOCK";
  EXPECT_EQ(routes.winner(request), "! no_method");
  request.method = http::Method::put;
  EXPECT_EQ(routes.winner(request), "! no_method");
  request.path = "/b";
  EXPECT_EQ(routes.winner(request), "! no_path");
}

TEST(RouteTable, AMethodOfAnotherRouteDoesNotHideALessPreciseOne) {
  Routes routes({route("post", {.paths = {{"/a"}}, .methods = {"POST"}}), on_path("/**")});
  EXPECT_EQ(routes.at("/a"), "/**");
}

struct Fields {
  Fields(std::initializer_list<std::pair<std::string_view, std::string_view>> fields)
      : list(arena) {
    for (const auto& [name, value] : fields) list.add(name, value);
  }
  Arena arena;
  http::HeaderList list;
};

std::string with_headers(const Routes& routes, const Fields& fields) {
  return routes.winner({.host = "h", .path = "/", .headers = &fields.list});
}

TEST(RouteTable, HeaderPredicates) {
  using Kind = ValueMatch::Kind;
  Routes routes({route("equals", {.headers = {{"X-Version", {Kind::equals, "2"}}}}),
                 route("prefix", {.headers = {{"accept", {Kind::prefix, "text/"}}}}),
                 route("regex", {.headers = {{"x-a", {Kind::regex, "^v[0-9]+$"}}}}),
                 route("present", {.headers = {{"x-debug", {Kind::present, ""}}}}),
                 route("absent", {.headers = {{"x-none", {Kind::absent, ""}}}})});
  EXPECT_EQ(with_headers(routes, {{"x-version", "2"}}), "equals");
  EXPECT_EQ(with_headers(routes, {{"x-version", "1"}, {"X-VERSION", "2"}}), "equals");
  EXPECT_EQ(with_headers(routes, {{"Accept", "text/html"}}), "prefix");
  EXPECT_EQ(with_headers(routes, {{"x-a", "v12"}}), "regex");
  EXPECT_EQ(with_headers(routes, {{"x-a", "xv12"}}), "absent");
  EXPECT_EQ(with_headers(routes, {{"x-debug", ""}}), "present");
  EXPECT_EQ(with_headers(routes, {}), "absent");
  EXPECT_EQ(with_headers(routes, {{"X-None", "1"}}), "! no_predicate");
  EXPECT_EQ(routes.at("/"), "absent");
}

TEST(RouteTable, QueryAndCookiePredicates) {
  using Kind = ValueMatch::Kind;
  Routes routes({route("page", {.queries = {{"page", {Kind::equals, "a b"}}}}),
                 route("pre", {.queries = {{"q", {Kind::prefix, "x y"}}}}),
                 route("beta", {.cookies = {{"beta", {Kind::equals, "yes"}}}}),
                 route("none", {.queries = {{"q", {Kind::absent, ""}}}})});
  const auto query = [&](std::string_view text) {
    return routes.winner({.host = "h", .path = "/", .query = text});
  };
  EXPECT_EQ(query("page=1&page=a+b"), "page");
  EXPECT_EQ(query("p%61ge=a%20b"), "page");
  EXPECT_EQ(query("q=x%20yz"), "pre");
  EXPECT_EQ(query("q=x+y" + std::string(5000, 'z')), "pre");
  EXPECT_EQ(query("q=1"), "! no_predicate");
  EXPECT_EQ(query("p=1"), "none");
  EXPECT_EQ(with_headers(routes, {{"Cookie", "a=1"}, {"cookie", "b=2; beta=yes"}}), "beta");
}

TEST(RouteTable, ClientPredicates) {
  Routes routes({route("lan", {.clients = {"10.0.0.0/8", "::1"}})});
  RouteRequest request{.host = "h", .path = "/"};
  const auto from = [&](const char* ip) {
    std::ranges::copy(*text::parse_ip(ip), request.client_ip);
    return routes.winner(request);
  };
  EXPECT_EQ(from("10.1.2.3"), "lan");
  EXPECT_EQ(from("::1"), "lan");
  EXPECT_EQ(from("11.0.0.1"), "! no_predicate");
}

TEST(RouteTable, MorePredicatesThenOrderDecide) {
  Routes routes({route("first", {.paths = {{"/{x}"}}}), route("second", {.paths = {{"/{y}"}}}),
                 route("method", {.paths = {{"/{z}"}}, .methods = {"GET"}}),
                 route("two", {.paths = {{"/{z}"}}, .methods = {"GET"}, .queries = {{"a", {}}}})});
  EXPECT_EQ(routes.winner({.host = "h", .path = "/a", .query = "a="}), "two");
  EXPECT_EQ(routes.winner({.host = "h", .path = "/a", .query = "b"}), "method");
  EXPECT_EQ(routes.winner({.host = "h", .path = "/a", .method = http::Method::post}), "first");
}

TEST(RouteTable, ErrorsNameRouteFieldAndCause) {
  EXPECT_EQ(build_error({.paths = {{"/a/**/b"}}}),
            "route \"r\", path: \"**\" must be the whole last segment");
  EXPECT_EQ(build_error({.paths = {{"/x"}, {"/a**"}}}),
            "route \"r\", path[1]: \"**\" must be the whole last segment");
  EXPECT_EQ(build_error({.paths = {{"/a/{}"}}}), "route \"r\", path: \"{}\" needs a name");
  EXPECT_EQ(build_error({.paths = {{"/{a}/{a}"}}}),
            "route \"r\", path: parameter \"a\" is there twice");
  EXPECT_EQ(build_error({.paths = {{"/{a}.x"}}}),
            "route \"r\", path: a parameter is a whole segment, \"{a}.x\" is more");
  EXPECT_EQ(build_error({.paths = {{"/{1}"}}}),
            "route \"r\", path: \"1\" is no parameter name: letters, digits, '_' and '-'");
  EXPECT_EQ(build_error({.paths = {{"a"}}}), "route \"r\", path: a path begins with \"/\"");
  EXPECT_EQ(build_error({.paths = {{"/a//b"}}}),
            "route \"r\", path: \"//\" never matches: runs of slashes are merged");
  EXPECT_EQ(build_error({.paths = {{"/a/../b"}}}),
            "route \"r\", path: segment \"..\" never matches: dot segments are resolved");
  EXPECT_EQ(build_error({.paths = {{"/a/%2e"}}}),
            "route \"r\", path: segment \"%2e\" never matches: dot segments are resolved");
  EXPECT_EQ(build_error({.paths = {{"/a%2fb"}}}),
            "route \"r\", path: The path has an encoded slash (%2F).");
  EXPECT_EQ(build_error({.paths = {{"/a?b"}}}),
            "route \"r\", path: a path has no '?': use the query match");
  EXPECT_EQ(build_error({.paths = {{"/a[", true}}}),
            "route \"r\", path: bad regular expression \"/a[\": missing ]: [ at 3");
  EXPECT_EQ(build_error({.headers = {{"x-a", {ValueMatch::Kind::regex, "(?P<n"}}}}),
            "route \"r\", header.x-a: bad regular expression \"(?P<n\": invalid named capture "
            "group: (?P<n at 1");
  EXPECT_EQ(build_error({.hosts = {"a.*.b"}}),
            "route \"r\", host: \"a.*.b\": a wildcard is the whole first label, \"*.example.com\"");
  EXPECT_EQ(build_error({.hosts = {"a:80"}}),
            "route \"r\", host: \"a:80\": a host has no port here");
  EXPECT_EQ(build_error({.hosts = {"a b"}}),
            "route \"r\", host: \"a b\": The host is no valid name and no IP address.");
  EXPECT_EQ(build_error({.clients = {"10.0.0.0/40"}}),
            "route \"r\", client: \"10.0.0.0/40\": the prefix length must be 0 to 32");
  EXPECT_EQ(build_error({.methods = {"get"}}),
            "route \"r\", method: \"get\": methods are in capitals");
  EXPECT_EQ(build_error({.headers = {{"x a", {}}}}),
            "route \"r\", header: \"x a\" is no header name");
}

TEST(RouteTable, ErrorsAreToldAllAtOnce) {
  auto table = RouteTable::build(
      {on_path("x"), route("b", {.hosts = {"*.*"}, .paths = {{"/**/"}}, .clients = {"x"}})});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().size(), 4u);
  EXPECT_EQ(table.error()[3].route, 1u);
}

TEST(RouteTable, BoundsParametersAndSegments) {
  std::string path;
  for (unsigned i = 0; i < kMaxParams; ++i) path += "/{p" + std::to_string(i) + "}";
  EXPECT_EQ(build_error({.paths = {{path}}}), "");
  EXPECT_EQ(build_error({.paths = {{path + "/{x}"}}}),
            "route \"r\", path: more than 16 parameters");
  std::string deep;
  for (unsigned i = 0; i < kMaxSegments; ++i) deep += "/s";
  EXPECT_EQ(build_error({.paths = {{deep + "/s"}}}), "route \"r\", path: more than 64 segments");
  Routes routes({on_path(deep), on_path("/s/**")});
  EXPECT_EQ(routes.at(deep), deep);
  EXPECT_EQ(routes.at(deep + "/s"), "/s/**");
  EXPECT_EQ(routes.at(deep + deep + "/"), "/s/**");
}

// A tree in which every level has a literal and a parameter: the search enters a node once.
TEST(RouteTable, SearchIsBoundedByTheNodesThatFit) {
  std::vector<RouteSpec> specs;
  for (unsigned bits = 0; bits < 1024; ++bits) {
    std::string path;
    for (unsigned i = 0; i < 10; ++i) {
      path += (bits >> i & 1) != 0 ? "/{p" + std::to_string(i) + "}" : "/a";
    }
    specs.push_back(route(path, {.paths = {{path + "/end"}}, .methods = {"POST"}}));
  }
  Routes routes(std::move(specs));
  EXPECT_EQ(routes.at("/a/a/a/a/a/a/a/a/a/a/end"), "! no_method");
  EXPECT_EQ(routes.at("/a/a/a/a/a/a/a/a/a/a/a/a/a/a"), "! no_path");
}

}  // namespace
}  // namespace doorward::route
