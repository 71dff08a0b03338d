#include "loop/address.h"

#include <cstring>
#include <gtest/gtest.h>

namespace doorward::loop {
namespace {

TEST(AddressTest, ReadsAndWritesEveryKind) {
  for (const std::string text : {"127.0.0.1:80", "[::1]:8443", "[::]:0", "unix:/run/x.sock"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->text(), text);
    EXPECT_EQ(Address::from_raw(address->raw(), address->size()), *address);
  }
}

TEST(AddressTest, AnEmptyHostMeansAllInterfaces) {
  const auto address = Address::parse(":8080");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->text(), "[::]:8080");
}

TEST(AddressTest, KnowsItsParts) {
  Address address = *Address::parse("10.1.2.3:80");
  EXPECT_EQ(address.host(), "10.1.2.3");
  EXPECT_EQ(address.port(), 80);
  address.set_port(81);
  EXPECT_EQ(address.text(), "10.1.2.3:81");
  EXPECT_NE(address, *Address::parse("10.1.2.3:80"));
  EXPECT_FALSE(address.is_unix());
  const Address path = *Address::parse("unix:/a");
  EXPECT_TRUE(path.is_unix());
  EXPECT_EQ(path.port(), 0);
  EXPECT_EQ(path.host(), "unix:/a");
  EXPECT_EQ(Address().text(), "");
}

TEST(AddressTest, AMappedIpv4AddressIsTheIpv4Address) {
  const Address mapped = *Address::parse("[::ffff:10.1.2.3]:80");
  EXPECT_EQ(mapped.text(), "10.1.2.3:80");
  EXPECT_EQ(mapped, *Address::parse("10.1.2.3:80"));
  EXPECT_EQ(Address::from_raw(mapped.raw(), mapped.size()), mapped);
  EXPECT_EQ(Address::parse("[::10.1.2.3]:80")->host(), "::10.1.2.3");  // another thing
  EXPECT_EQ(Address::parse("[64:ff9b::1.2.3.4]:80")->host(), "64:ff9b::102:304");
}

TEST(AddressTest, GivesIpv4AsMappedBytes) {
  std::uint8_t bytes[16];
  Address::parse("1.2.3.4:0")->ip_bytes(bytes);
  const std::uint8_t expected[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4};
  EXPECT_EQ(std::memcmp(bytes, expected, 16), 0);
  Address::parse("unix:/a")->ip_bytes(bytes);
  EXPECT_TRUE(std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0xff; }));
}

TEST(AddressTest, ANamelessUnixSocketIsWrittenWithoutAPath) {
  const sockaddr_un raw{AF_UNIX, {}};
  const Address peer =
      Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), offsetof(sockaddr_un, sun_path));
  EXPECT_TRUE(peer.is_unix());
  EXPECT_EQ(peer.host(), "unix");
}

TEST(AddressTest, RefusesWhatIsNoAddressAndNamesIt) {
  for (const std::string text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:80x", "127.0.0.1:-1", "::1:80",
        "[::1]", "[::1:80", "[127.0.0.1]:80", "localhost:80", "1.2.3:80", "unix:"}) {
    const auto address = Address::parse(text);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid);
    EXPECT_NE(address.error().cause.find("\"" + text + "\""), std::string::npos);
  }
  EXPECT_FALSE(Address::parse("unix:" + std::string(108, 'x')).has_value());
  EXPECT_TRUE(Address::parse("unix:" + std::string(107, 'x')).has_value());
}

}  // namespace
}  // namespace doorward::loop
