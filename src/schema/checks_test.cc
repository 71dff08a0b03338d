// What each named check takes and refuses; every check's own example holds.
#include "schema/checks.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::schema {
namespace {

void holds(const TextCheck& check, std::initializer_list<std::string_view> right,
           std::initializer_list<std::string_view> wrong) {
  EXPECT_TRUE(check.holds(check.example)) << check.name;
  for (const std::string_view text : right) EXPECT_TRUE(check.holds(text)) << text;
  for (const std::string_view text : wrong) EXPECT_FALSE(check.holds(text)) << text;
}

TEST(Checks, Words) {
  holds(kNonEmpty, {"a"}, {""});
  holds(kToken, {"GET", "x-a", "!#$"}, {"", "a b", "a:b", "ä"});
  holds(kHeaderName, {"X-Id"}, {"", "x y", "x:"});
  holds(kHeaderValue, {"", "a b", "\tx"}, {"a\nb", "a\r", "\x7f"});
  holds(kName, {"orders", "a.b-c_1", "_x"}, {"", "-a", "a b", "a/b"});
}

TEST(Checks, Hosts) {
  const std::string long_label(64, 'a');
  holds(kHost, {"a", "a.b.c", "10.0.0.1", "[::1]", "a_b", "example.com."},
        {"", "a b", "-a", "a..b", "[::1", "[]", "::1", "a:1", long_label});
  holds(kHostPort, {":8080", "a:1", "[::]:80", "10.0.0.1:65535", "a:0"},
        {"", "a", "8080", "a:", "a:65536", "a:b", "[::1]", "::1:80"});
}

TEST(Checks, Urls) {
  holds(kHttpUrl, {"http://a", "https://a:1/b?c=d", "http://[::1]:80"},
        {"", "a", "ftp://a", "http://", "http://u@h", "http://a#b", "http://a b", "http://a/ b",
         "http://a:x"});
  holds(kPath, {"/", "/a/b?c"}, {"", "a", "/a b", "/\n"});
}

}  // namespace
}  // namespace doorward::schema
