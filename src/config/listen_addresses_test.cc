#include "config/listen_addresses.h"

#include <gtest/gtest.h>

namespace doorward::config {
namespace {

// Which of the addresses, by number, are in the way of an earlier one: "1<-0".
std::string collisions(std::initializer_list<std::string_view> texts) {
  ListenAddresses addresses;
  std::string found;
  int number = 0;
  for (const std::string_view text : texts) {
    const auto before = addresses.take(*loop::Address::parse(text), std::to_string(number));
    if (before) found += std::to_string(number) + "<-" + before->path + " ";
    ++number;
  }
  return found;
}

TEST(ListenAddressesTest, TheSameTwice) {
  EXPECT_EQ(collisions({"127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:80"}), "1<-0 2<-0 ");
  EXPECT_EQ(collisions({":80", "[::]:80", "unix:/a", "unix:/a"}), "1<-0 3<-2 ");
}

TEST(ListenAddressesTest, OthersAreNotInTheWay) {
  EXPECT_EQ(collisions({"127.0.0.1:80", "127.0.0.2:80", "[::1]:80", "127.0.0.1:81", "unix:/a"}),
            "");
  EXPECT_EQ(collisions({"0.0.0.0:80", "[::1]:80", "0.0.0.0:81", "127.0.0.1:82"}), "");
}

TEST(ListenAddressesTest, AllInterfacesBesideOneOfThem) {
  EXPECT_EQ(collisions({"127.0.0.1:80", "0.0.0.0:80"}), "1<-0 ");
  EXPECT_EQ(collisions({"0.0.0.0:80", "127.0.0.1:80"}), "1<-0 ");
  EXPECT_EQ(collisions({"127.0.0.1:80", ":80"}), "1<-0 ");
  EXPECT_EQ(collisions({":80", "127.0.0.1:80", "[::1]:80", "0.0.0.0:80"}), "1<-0 2<-0 3<-0 ");
  EXPECT_EQ(collisions({"[::1]:80", "[::]:80"}), "1<-0 ");
}

TEST(ListenAddressesTest, APortThatIsAnotherEachTime) {
  EXPECT_EQ(collisions({":0", "127.0.0.1:0", "127.0.0.1:0", "0.0.0.0:0"}), "");
}

}  // namespace
}  // namespace doorward::config
