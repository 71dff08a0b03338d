#include "observe/query_mask.h"

#include <gtest/gtest.h>

namespace doorward::observe {
namespace {

std::string masked(std::string_view query) {
  static const std::vector<std::string> kNames = {"token", "api_key", "Password"};
  std::string to(query.size() * 6 + 6, '\0');
  to.resize(static_cast<std::size_t>(QueryMask(kNames).write(to.data(), query) - to.data()));
  return to;
}

TEST(QueryMask, HidesListedValuesOnly) {
  EXPECT_EQ(masked("a=1&token=abc&b=2"), "a=1&token=***&b=2");
  EXPECT_EQ(masked("token=abc"), "token=***");
  EXPECT_EQ(masked("token=a&token=b"), "token=***&token=***");
  EXPECT_EQ(masked("a=1&b=2"), "a=1&b=2");
  EXPECT_EQ(masked("tokens=a&xtoken=b"), "tokens=a&xtoken=b");
  EXPECT_EQ(masked(""), "");
}

TEST(QueryMask, KeepsTheFormOfOddQueries) {
  EXPECT_EQ(masked("token"), "token");
  EXPECT_EQ(masked("token="), "token=");
  EXPECT_EQ(masked("&&=&token=x&"), "&&=&token=***&");
  EXPECT_EQ(masked("token=a=b==&c=d=e"), "token=***&c=d=e");
  EXPECT_EQ(masked("q=\"\n"), R"(q=\"\n)");
}

TEST(QueryMask, CannotBeAvoidedBySpelling) {
  EXPECT_EQ(masked("TOKEN=x&Api_Key=y&password=z"), "TOKEN=***&Api_Key=***&password=***");
  EXPECT_EQ(masked("%74oke%6E=x"), "%74oke%6E=***");
  EXPECT_EQ(masked("user[password]=x&token[]=y"), "user[password]=***&token[]=***");
  EXPECT_EQ(masked("user%5Bpassword%5D=x"), "user%5Bpassword%5D=***");
  EXPECT_EQ(masked("a=1;token=x"), "a=1;token=***");
}

TEST(QueryMask, SecretEndsAtAmpersandOnly) {
  EXPECT_EQ(masked("token=abc;def&a=1"), "token=***&a=1");
}

}  // namespace
}  // namespace doorward::observe
