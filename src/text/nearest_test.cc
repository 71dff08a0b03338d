// Which names count as meant, and which do not.
#include "text/nearest.h"

#include <array>
#include <gtest/gtest.h>
#include <string>

namespace doorward::text {
namespace {

TEST(EditDistance, CountsStepsAndSwaps) {
  EXPECT_EQ(edit_distance("host", "host"), 0U);
  EXPECT_EQ(edit_distance("hots", "host"), 1U);
  EXPECT_EQ(edit_distance("hst", "host"), 1U);
  EXPECT_EQ(edit_distance("hoost", "host"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("Max-Size", "max_size"), 0U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, VeryLongNamesAreFar) {
  EXPECT_GT(edit_distance(std::string(65, 'a'), "a"), 1000U);
}

TEST(Nearest, FindsWhatIsMeant) {
  constexpr std::array<std::string_view, 4> kNames{"path", "host", "method", "connections_per_ip"};
  EXPECT_EQ(nearest("hots", kNames), "host");
  EXPECT_EQ(nearest("Method", kNames), "method");
  EXPECT_EQ(nearest("pats", kNames), "path");
  EXPECT_EQ(nearest("paqs", kNames), "path");
  EXPECT_EQ(nearest("methods", kNames), "method");
  EXPECT_EQ(nearest("connections-per-IP", kNames), "connections_per_ip");
  EXPECT_EQ(nearest("connections", kNames), "connections_per_ip");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  constexpr std::array<std::string_view, 2> kNames{"path", "host"};
  EXPECT_EQ(nearest("zebra", kNames), std::nullopt);
  EXPECT_EQ(nearest("x", kNames), std::nullopt);
  EXPECT_EQ(nearest("path", {}), std::nullopt);
}

}  // namespace
}  // namespace doorward::text
