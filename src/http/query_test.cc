#include "http/query.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace doorward::http {
namespace {

TEST(Query, FindsTheFirstValueByDecodedName) {
  EXPECT_EQ(query_value("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(query_value("a=1&b=2", "b"), "2");
  EXPECT_EQ(query_value("%61+b=x%20y", "a b"), "x%20y");
  EXPECT_EQ(query_value("flag&x=1", "flag"), "");
  EXPECT_EQ(query_value("a=b=c", "a"), "b=c");
  EXPECT_EQ(query_value("&&a=1&", "a"), "1");
  EXPECT_EQ(query_value("ab=1", "a"), std::nullopt);
  EXPECT_EQ(query_value("", "a"), std::nullopt);
}

TEST(Query, WalksAllValuesOfAName) {
  std::vector<std::string> seen;
  EXPECT_FALSE(any_query_value("a=1&b=2&a=3", "a", [&](std::string_view value) {
    seen.emplace_back(value);
    return false;
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "3"}));
}

TEST(Query, DecodesOnlyWhenNeeded) {
  Arena arena;
  const std::string_view plain = "abc";
  EXPECT_EQ(decode_query(plain, arena).data(), plain.data());
  EXPECT_EQ(decode_query("a+b%21", arena), "a b!");
}

TEST(Cookie, FindsByName) {
  EXPECT_EQ(cookie_value("a=1; beta=yes; c=3", "beta"), "yes");
  EXPECT_EQ(cookie_value("a=1;beta=yes", "beta"), "yes");
  EXPECT_EQ(cookie_value("a=\"q\"", "a"), "\"q\"");
  EXPECT_EQ(cookie_value("a=1=2 ", "a"), "1=2");
  EXPECT_EQ(cookie_value("A=1", "a"), std::nullopt);
  EXPECT_EQ(cookie_value("beta; xbeta=1", "beta"), std::nullopt);
  EXPECT_EQ(cookie_value("", "a"), std::nullopt);
}

}  // namespace
}  // namespace doorward::http
