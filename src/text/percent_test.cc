#include "text/percent.h"

#include <gtest/gtest.h>

namespace doorward::text {
namespace {

TEST(Percent, ComparesDecoded) {
  EXPECT_TRUE(percent_equals("a%20b", "a b", Plus::itself));
  EXPECT_TRUE(percent_equals("a+b", "a b", Plus::space));
  EXPECT_FALSE(percent_equals("a+b", "a b", Plus::itself));
  EXPECT_TRUE(percent_equals("%C3%a9", "\xc3\xa9", Plus::itself));
  EXPECT_TRUE(percent_equals("", "", Plus::itself));
  EXPECT_FALSE(percent_equals("ab", "a", Plus::itself));
  EXPECT_FALSE(percent_equals("%61", "ab", Plus::itself));
  EXPECT_FALSE(percent_equals("a", "", Plus::itself));
}

TEST(Percent, LeavesBrokenEscapesAsTheyAre) {
  EXPECT_TRUE(percent_equals("100%", "100%", Plus::itself));
  EXPECT_TRUE(percent_equals("%4", "%4", Plus::itself));
  EXPECT_TRUE(percent_equals("%zz", "%zz", Plus::itself));
}

TEST(Percent, DecodesWithoutCopyWhenNothingIsEncoded) {
  Arena arena;
  const std::string_view plain = "plain+text";
  EXPECT_EQ(percent_decode(plain, Plus::itself, arena).data(), plain.data());
  EXPECT_EQ(percent_decode(plain, Plus::space, arena), "plain text");
  EXPECT_EQ(percent_decode("%41%", Plus::itself, arena), "A%");
}

TEST(Percent, EncodesAllButUnreservedAndKept) {
  EXPECT_EQ(percent_encode("a b/\xc3\xa9~", "/"), "a%20b/%C3%A9~");
  EXPECT_EQ(percent_encode("/"), "%2F");
}

}  // namespace
}  // namespace doorward::text
