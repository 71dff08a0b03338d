#include <gtest/gtest.h>

#include "route/route_table.h"

namespace doorward::route {
namespace {

// "b < a: reason" for each warning, a line each.
std::string warnings(std::vector<Match> matches) {
  std::vector<RouteSpec> specs;
  for (Match& match : matches) {
    specs.push_back({std::string(1, static_cast<char>('a' + specs.size())), std::move(match)});
  }
  const RouteTable table = *RouteTable::build(std::move(specs));
  std::string out;
  for (const RouteWarning& warning : table.shadowed()) {
    out += table.routes()[warning.route].name + " < " + table.routes()[warning.shadowed_by].name +
           ": " + warning.reason + "\n";
  }
  return out;
}

TEST(Shadowed, ExactDuplicates) {
  EXPECT_EQ(warnings({{.paths = {{"/a"}}}, {.paths = {{"/a"}}}}),
            "b < a: route \"a\" takes the same host, path and conditions and comes first\n");
  EXPECT_EQ(warnings({{.hosts = {"h"}, .paths = {{"/a"}}}, {.paths = {{"/a"}}}}), "");
}

TEST(Shadowed, ParameterNamesMakeNoDifference) {
  EXPECT_EQ(warnings({{.paths = {{"/{x}/a"}}}, {.paths = {{"/{y}/a"}}}}),
            "b < a: any host /{x}/a of route \"a\" takes precedence over any host /{y}/a and "
            "includes it\n");
}

TEST(Shadowed, AParameterHidesAGlob) {
  EXPECT_NE(warnings({{.paths = {{"/a/*.png"}}}, {.paths = {{"/a/{id}"}}}}), "");
}

TEST(Shadowed, APrefixHidesARegex) {
  EXPECT_NE(warnings({{.paths = {{"/a/.*", true}}}, {.paths = {{"/**"}}}}), "");
  EXPECT_EQ(warnings({{.paths = {{"/a/.*", true}}}, {.paths = {{"/a/**"}}}}), "");
}

TEST(Shadowed, ConditionsMustBeIncluded) {
  const Match plain{.paths = {{"/a"}}};
  const Match get{.paths = {{"/a"}}, .methods = {"GET"}};
  const Match get_post{.paths = {{"/a"}}, .methods = {"POST", "GET"}};
  EXPECT_EQ(warnings({get, plain}), "");
  EXPECT_EQ(warnings({plain, get}), "");
  EXPECT_NE(warnings({get_post, get}), "");
  EXPECT_EQ(warnings({get, get_post}), "");
  const Match wide{.paths = {{"/a"}}, .clients = {"10.0.0.0/8"}};
  const Match narrow{.paths = {{"/a"}}, .clients = {"10.1.0.0/16"}};
  EXPECT_NE(warnings({wide, narrow}), "");
  EXPECT_EQ(warnings({narrow, wide}), "");
}

TEST(Shadowed, OnlyWhenEveryPathIs) {
  EXPECT_EQ(warnings({{.paths = {{"/a"}}}, {.paths = {{"/a"}, {"/b"}}}}), "");
  EXPECT_NE(warnings({{.paths = {{"/a"}, {"/b"}}}, {.paths = {{"/b"}, {"/a"}}}}), "");
}

}  // namespace
}  // namespace doorward::route
