// IP blocks as settings: both ways, and what is said about mistakes.
#include "schema/cidr.h"

#include <gtest/gtest.h>

namespace doorward::schema {
namespace {

using Traits = ScalarTraits<text::Cidr>;

TEST(CidrSetting, IsWrittenAsItWasRead) {
  for (const std::string text :
       {"10.0.0.0/8", "127.0.0.1", "0.0.0.0/0", "::1", "2001:db8::/32", "unix"}) {
    const auto block = Traits::parse(text);
    ASSERT_TRUE(block.has_value()) << text;
    EXPECT_EQ(Traits::format(*block), text);
  }
}

TEST(CidrSetting, SaysWhatIsWrong) {
  EXPECT_EQ(Traits::parse("10.0.0.0/40").error(),
            "must be an IP address or block such as 10.0.0.0/8: \"10.0.0.0/40\": the prefix length "
            "must be 0 to 32");
  EXPECT_FALSE(Traits::parse("").has_value());
  EXPECT_FALSE(Traits::parse("10.0.0.1/8").has_value());
}

}  // namespace
}  // namespace doorward::schema
