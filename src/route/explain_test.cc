#include "route/explain.h"

#include <gtest/gtest.h>

#include "base/arena.h"

namespace doorward::route {
namespace {

RouteTable table_of(std::vector<Match> matches) {
  std::vector<RouteSpec> specs;
  for (Match& match : matches) {
    specs.push_back({std::string(1, static_cast<char>('a' + specs.size())), std::move(match)});
  }
  return *RouteTable::build(std::move(specs));
}

// Why the one route of a table does not take the request.
std::string reason(Match match, const RouteRequest& request) {
  const auto explained = explain(table_of({std::move(match)}), request);
  std::string out;
  for (const std::string& one : explained.candidates[0].reasons) {
    out += (out.empty() ? "" : "; ") + one;
  }
  return out;
}

TEST(Explain, SaysWhyARouteDoesNotFit) {
  const RouteRequest request{
      .host = "h", .path = "/a/b", .query = "q=1+2", .method = http::Method::del};
  EXPECT_EQ(reason({.methods = {"GET", "POST"}}, request),
            "method is DELETE, the route takes GET, POST");
  EXPECT_EQ(reason({.hosts = {"*.x"}}, request), "host is h, the route wants *.x");
  EXPECT_EQ(reason({.paths = {{"/a/c"}}}, request),
            "path differs at segment 2: it is \"b\", the route wants \"c\"");
  EXPECT_EQ(reason({.paths = {{"/a/b/{id}"}}}, request),
            "path ends before segment 3, where the route wants a value for {id}");
  EXPECT_EQ(reason({.paths = {{"/a"}}}, request),
            "path goes on after segment 1 with \"b\", the route ends there");
  EXPECT_EQ(reason({.paths = {{"/a/*.png"}}}, request),
            "path differs at segment 2: it is \"b\", the route wants *.png");
  EXPECT_EQ(reason({.paths = {{"/v[0-9]", true}}}, request),
            "path does not match the regular expression /v[0-9]");
  EXPECT_EQ(reason({.queries = {{"q", {ValueMatch::Kind::equals, "1"}}}}, request),
            "query parameter q is \"1 2\", the route wants \"1\"");
  EXPECT_EQ(reason({.cookies = {{"c", {ValueMatch::Kind::present, ""}}}}, request),
            "cookie c is missing, the route wants any");
  EXPECT_EQ(reason({.clients = {"10.0.0.0/8"}}, request),
            "the client's address is in none of the route's blocks");
  EXPECT_EQ(reason({.hosts = {"x"}, .paths = {{"/c"}}}, request),
            "host is h, the route wants x; path differs at segment 1: it is \"a\", the route wants "
            "\"c\"");
}

TEST(Explain, ShowsHeaderValues) {
  Arena arena;
  http::HeaderList headers(arena);
  headers.add("X-Version", "1");
  const RouteRequest request{.host = "h", .path = "/", .headers = &headers};
  EXPECT_EQ(reason({.headers = {{"x-version", {ValueMatch::Kind::equals, "2"}}}}, request),
            "header x-version is \"1\", the route wants \"2\"");
  EXPECT_EQ(reason({.headers = {{"x-version", {ValueMatch::Kind::absent, ""}}}}, request),
            "header x-version is \"1\", the route wants none");
  EXPECT_EQ(reason({.headers = {{"x-a", {ValueMatch::Kind::prefix, "b"}}}}, request),
            "header x-a is missing, the route wants one that begins with \"b\"");
}

TEST(Explain, SaysWhyTheWinnerWins) {
  const auto precedence = [](std::vector<Match> matches) {
    return explain(table_of(std::move(matches)), {.host = "h", .path = "/a/b"}).precedence;
  };
  EXPECT_EQ(precedence({{}, {.hosts = {"h"}}}),
            "its host h is more precise than any host of route \"a\"");
  EXPECT_EQ(precedence({{.paths = {{"/a/**"}}}, {.paths = {{"/a/{id}"}}}}),
            "its path /a/{id} is more precise than /a/** of route \"a\"");
  EXPECT_EQ(precedence({{}, {.methods = {"GET"}}}),
            "it has more conditions than route \"a\": 1 against 0");
  EXPECT_EQ(precedence({{}, {}}), "it comes before route \"b\" in the configuration");
  EXPECT_EQ(precedence({{}}), "");
}

TEST(Explain, MatchesFirstThenTheNearest) {
  const RouteTable table = table_of({{.hosts = {"other"}},
                                     {.paths = {{"/x/y"}}},
                                     {.paths = {{"/a/c"}}},
                                     {.paths = {{"/a/b"}}, .methods = {"POST"}},
                                     {.paths = {{"/**"}}},
                                     {.paths = {{"/a/{id}"}}}});
  const RouteRequest request{.host = "h", .path = "/a/b"};
  const Explanation all = explain(table, request);
  std::string order;
  for (const ExplainedRoute& one : all.candidates) order += one.name;
  EXPECT_EQ(order, "fedcba");
  EXPECT_EQ(all.winner, 5u);
  EXPECT_TRUE(all.candidates[1].matches);
  EXPECT_FALSE(all.candidates[2].matches);
  EXPECT_EQ(all.candidates[0].claim, "any host /a/{id}");
  EXPECT_EQ(explain(table, request, 2).candidates.size(), 2u);
}

TEST(Explain, TakesTheNearestOfARoutesPaths) {
  const auto explained =
      explain(table_of({{.paths = {{"/x"}, {"/a/c"}, {"/y"}}}}), {.host = "h", .path = "/a/b"});
  EXPECT_EQ(explained.candidates[0].claim, "any host /a/c");
  EXPECT_EQ(explained.why, RouteMatch::Why::no_path);
  EXPECT_EQ(explained.winner, std::nullopt);
  EXPECT_TRUE(explain(table_of({}), {}).candidates.empty());
}

}  // namespace
}  // namespace doorward::route
