#include "text/cidr.h"

#include <gtest/gtest.h>

namespace doorward::text {
namespace {

TEST(Cidr, ContainsItsBlock) {
  const Cidr block = *Cidr::parse("10.16.0.0/12");
  EXPECT_TRUE(block.contains(*parse_ip("10.16.0.1")));
  EXPECT_TRUE(block.contains(*parse_ip("10.31.255.255")));
  EXPECT_FALSE(block.contains(*parse_ip("10.32.0.0")));
  EXPECT_FALSE(block.contains(*parse_ip("::1")));
}

TEST(Cidr, OneAddressAndEverything) {
  EXPECT_TRUE(Cidr::parse("::1")->contains(*parse_ip("::1")));
  EXPECT_FALSE(Cidr::parse("::1")->contains(*parse_ip("::2")));
  EXPECT_TRUE(Cidr::parse("::/0")->contains(*parse_ip("1.2.3.4")));
  EXPECT_TRUE(Cidr::parse("0.0.0.0/0")->contains(*parse_ip("1.2.3.4")));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(*parse_ip("2001:db8::1")));
}

TEST(Cidr, ContainsSmallerBlocks) {
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->contains(*Cidr::parse("10.1.0.0/16")));
  EXPECT_FALSE(Cidr::parse("10.1.0.0/16")->contains(*Cidr::parse("10.0.0.0/8")));
}

TEST(Cidr, UnixSocketsAreABlockOfTheirOwn) {
  const Cidr block = *Cidr::parse("unix");
  EXPECT_EQ(block, Cidr::unix_sockets());
  EXPECT_FALSE(block.contains(*parse_ip("::")));
  EXPECT_FALSE(Cidr::parse("::")->contains(block));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(block));
  EXPECT_TRUE(Cidr::parse("::/0")->contains(block));
}

TEST(Cidr, RefusesWhatIsNone) {
  for (const char* bad : {"", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8x",
                          "10.0.0.1/8", "host", "unix:", "/8", "10.0.0.0/-1"}) {
    EXPECT_FALSE(Cidr::parse(bad).has_value()) << bad;
  }
  EXPECT_EQ(Cidr::parse("10.0.0.1/8").error().cause,
            "\"10.0.0.1/8\" has address bits set below its prefix length");
}

}  // namespace
}  // namespace doorward::text
