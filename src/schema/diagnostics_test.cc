// How findings are shown, counted and found again by their path.
#include "schema/diagnostics.h"

#include <array>
#include <gtest/gtest.h>

namespace doorward::schema {
namespace {

text::Node parse(std::string_view yaml) {
  return text::parse_yaml(std::make_shared<text::SourceFile>("a.yaml", std::string(yaml))).value();
}

TEST(Diagnostics, ShowsTheLineWithACaret) {
  const text::Node root = parse("a:\n  bücher: {c: d}\n");
  Diagnostics diagnostics;
  const Diagnostics::Scope top(diagnostics, root);
  const Diagnostics::Scope a(diagnostics, "a", root.members[0].value);
  const text::Node& books = root.members[0].value.members[0].value;
  const Diagnostics::Scope b(diagnostics, "bücher", books);
  diagnostics.error_at("c", "is wrong");
  EXPECT_EQ(diagnostics.to_text(),
            "a.yaml:2:13: error: a[\"bücher\"].c: is wrong\n"
            "    2 |   bücher: {c: d}\n"
            "      |            ^\n");
}

TEST(Diagnostics, ShowsTabsAsTabsAndWarningsAsWarnings) {
  const text::Node root = parse("a:\tb\n");
  Diagnostics diagnostics;
  const Diagnostics::Scope top(diagnostics, root);
  const Diagnostics::Scope a(diagnostics, "a", root.members[0].value);
  diagnostics.warning("is odd");
  EXPECT_TRUE(diagnostics.ok());
  EXPECT_EQ(diagnostics.to_text(),
            "a.yaml:1:4: warning: a: is odd\n    1 | a:\tb\n      |   \t^\n");
}

TEST(Diagnostics, WithoutAPlaceThereIsNoLine) {
  Diagnostics diagnostics;
  diagnostics.error("there is nothing");
  EXPECT_EQ(diagnostics.to_text(), "error: there is nothing\n");
  diagnostics.add({Severity::error,
                   {std::make_shared<text::SourceFile>("b.yaml", ""), 0, 0},
                   "",
                   "cannot be opened",
                   ""});
  EXPECT_EQ(diagnostics.to_text(), "error: there is nothing\nb.yaml: error: cannot be opened\n");
}

TEST(Diagnostics, AreSortedByPlaceAndWrittenAsJson) {
  const text::Node root = parse("a: 1\nb: 2\n");
  Diagnostics diagnostics;
  const Diagnostics::Scope top(diagnostics, root);
  diagnostics.error_at("b", "second", "c");
  diagnostics.warning_at("a", "first");
  EXPECT_EQ(diagnostics.to_json().dump(),
            R"({"errors":1,"warnings":1,"diagnostics":[)"
            R"({"severity":"warning","file":"a.yaml","line":1,"column":1,"path":"a",)"
            R"("message":"first"},)"
            R"({"severity":"error","file":"a.yaml","line":2,"column":1,"path":"b",)"
            R"("message":"second","suggestion":"c"}],"omitted":0})");
}

TEST(Diagnostics, KeepsAHundredAndCountsTheOthers) {
  Diagnostics diagnostics;
  for (int i = 0; i < 103; ++i) diagnostics.error("wrong");
  EXPECT_EQ(diagnostics.error_count(), 103U);
  EXPECT_EQ(diagnostics.sorted().size(), 100U);
  EXPECT_TRUE(diagnostics.to_text().ends_with("and 3 more\n"));
  EXPECT_EQ(diagnostics.to_json()["omitted"], 3);
}

TEST(UnknownName, SuggestsOrLists) {
  constexpr std::array<std::string_view, 2> kRight{"orders", "users"};
  std::string suggestion;
  EXPECT_EQ(unknown_name("unknown service \"oders\"", "oders", kRight, suggestion),
            "unknown service \"oders\"; did you mean \"orders\"?");
  EXPECT_EQ(suggestion, "orders");
  std::string none;
  EXPECT_EQ(unknown_name("unknown service", "zebra", kRight, none),
            "unknown service; there are orders, users");
  EXPECT_EQ(unknown_name("unknown service", "zebra", {}, none),
            "unknown service; there is none to name");
  EXPECT_EQ(none, "");
}

TEST(Paths, LeadBackToTheirNode) {
  const text::Node root = parse("routes: [{match: {path: /a}}]\nservices: {\"a.b\": {url: x}}\n");
  EXPECT_EQ(find_path(root, "routes[0].match.path")->text, "/a");
  EXPECT_EQ(find_path(root, "services[\"a.b\"].url")->text, "x");
  EXPECT_EQ(find_path(root, "routes[0].match.path[0]")->text, "/a");
  EXPECT_EQ(find_path(root, ""), &root);
  for (const std::string_view path : {"routes[1]", "routes.x", "x", "routes[", "services[\"a"}) {
    EXPECT_EQ(find_path(root, path), nullptr) << path;
  }
}

TEST(Describe, NamesWhatStandsThere) {
  EXPECT_EQ(describe(parse("[]")), "a list");
  EXPECT_EQ(describe(parse("{}")), "a map");
  EXPECT_EQ(describe(parse("~")), "nothing");
  EXPECT_EQ(describe(parse(std::string(50, 'x'))), "\"" + std::string(40, 'x') + "…\"");
}

}  // namespace
}  // namespace doorward::schema
