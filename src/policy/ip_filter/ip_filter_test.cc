// Who comes in; and the set against the blocks it is made of, on random addresses.
#include "policy/ip_filter/ip_filter.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

bool passes(std::string_view settings, std::string_view client) {
  FakeContext context;
  context.client_address = *loop::Address::parse(client);
  const auto policy = policy_of("ip_filter: " + std::string(settings));
  const Outcome outcome = policy->on_request(context).take();
  if (outcome.reply == nullptr) return true;
  EXPECT_EQ(outcome.reply->status, 403);
  EXPECT_EQ(outcome.reply->code, "ip_denied");
  return false;
}

TEST(IpFilter, DeniesWhatIsNamed) {
  EXPECT_FALSE(passes("{deny: 10.0.0.0/8}", "10.255.0.1:1"));
  EXPECT_TRUE(passes("{deny: 10.0.0.0/8}", "11.0.0.0:1"));
  EXPECT_TRUE(passes("{deny: 10.0.0.0/8}", "9.255.255.255:1"));
  EXPECT_FALSE(passes("{deny: [192.0.2.1, \"::1\"]}", "[::1]:1"));
}

TEST(IpFilter, AllowDeniesAllOthers) {
  EXPECT_TRUE(passes("{allow: [10.0.0.0/8, \"2001:db8::/32\"]}", "10.1.2.3:1"));
  EXPECT_TRUE(passes("{allow: [10.0.0.0/8, \"2001:db8::/32\"]}", "[2001:db8:ffff::1]:1"));
  EXPECT_FALSE(passes("{allow: [10.0.0.0/8, \"2001:db8::/32\"]}", "[2001:db9::1]:1"));
  EXPECT_FALSE(passes("{allow: [10.0.0.0/8]}", "[::1]:1"));
}

TEST(IpFilter, DenyWinsOverAllow) {
  EXPECT_FALSE(passes("{allow: 10.0.0.0/8, deny: 10.1.0.0/16}", "10.1.2.3:1"));
  EXPECT_TRUE(passes("{allow: 10.0.0.0/8, deny: 10.1.0.0/16}", "10.2.2.3:1"));
}

TEST(IpFilter, ClientsOfUnixSocketsHaveNoAddress) {
  EXPECT_FALSE(passes("{allow: 10.0.0.0/8}", "unix:/tmp/x.sock"));
  EXPECT_TRUE(passes("{deny: 10.0.0.0/8}", "unix:/tmp/x.sock"));
}

TEST(IpFilter, NamesItsMistakes) {
  EXPECT_EQ(errors_of_item("ip_filter: {}"),
            "ip_filter: names no address: give \"allow\" or \"deny\"\n");
  EXPECT_NE(errors_of_item("ip_filter: {allow: []}"), "");
  EXPECT_NE(errors_of_item("ip_filter: {deny: [10.0.0.0/40]}").find("10.0.0.0/40"),
            std::string::npos);
}

TEST(IpSet, AgreesWithTheBlocksItIsMadeOf) {
  Random random(11);
  std::vector<text::Cidr> blocks;
  for (int i = 0; i < 200; ++i) {
    text::Cidr block;
    block.bits = static_cast<std::uint8_t>(random.below(129));
    for (unsigned bit = 0; bit < block.bits; ++bit) {
      // Few distinct bytes, so that blocks nest and addresses hit.
      if (random.below(8) == 0)
        block.address[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
    }
    if (block.bits > 8) blocks.push_back(block);
  }
  const IpSet set(blocks);
  EXPECT_LT(set.ranges(), blocks.size());
  int hits = 0;
  for (int i = 0; i < 20000; ++i) {
    std::uint8_t ip[16];
    text::IpBytes bytes = blocks[random.below(blocks.size())].address;
    bytes[random.below(16)] ^= static_cast<std::uint8_t>(1u << random.below(8));
    std::copy(bytes.begin(), bytes.end(), ip);
    const bool wanted =
        std::ranges::any_of(blocks, [&](const text::Cidr& block) { return block.contains(ip); });
    ASSERT_EQ(set.contains(ip), wanted);
    hits += wanted;
  }
  EXPECT_GT(hits, 1000);
  EXPECT_LT(hits, 19000);
}

}  // namespace
}  // namespace doorward::policy
