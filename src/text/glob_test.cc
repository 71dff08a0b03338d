#include "text/glob.h"

#include <gtest/gtest.h>

namespace doorward::text {
namespace {

TEST(Glob, MatchesRunsOfAnything) {
  EXPECT_TRUE(glob_match("*.png", "a.png"));
  EXPECT_TRUE(glob_match("*.png", ".png"));
  EXPECT_FALSE(glob_match("*.png", "a.png.gz"));
  EXPECT_TRUE(glob_match("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_match("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("**", "x"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "x"));
  EXPECT_FALSE(glob_match("abc", "ab"));
  EXPECT_TRUE(glob_match("*ab", "aab"));
  EXPECT_TRUE(glob_match("x-*", "x-request-id"));
}

}  // namespace
}  // namespace doorward::text
