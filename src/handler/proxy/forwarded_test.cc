// What backends are told of the client, with and without trusted proxies, and who the client is.
#include "handler/proxy/forwarded.h"

#include <gtest/gtest.h>

namespace doorward::handler {
namespace {

using http::HeaderName;

class ForwardedTest : public ::testing::Test {
 protected:
  // Who the client is, for a peer of this address.
  std::string client(std::string_view peer, std::vector<std::string_view> trusted) {
    std::vector<text::Cidr> blocks;
    for (const std::string_view text : trusted) blocks.push_back(*text::Cidr::parse(text));
    const bool is_unix = peer.starts_with("unix");
    const loop::Address address =
        *loop::Address::parse(is_unix ? std::string(peer) : std::string(peer) + ":1");
    facts.peer_ip = arena.copy(address.host());
    facts.trusted = is_trusted(address, blocks);
    const loop::Address found = find_client(address, headers, blocks);
    if (!facts.trusted) drop_forwarded(headers);
    return found.host();
  }
  void receive(std::string_view name, std::string_view value) {
    headers.append({name, value, 1, http::classify(name)});
  }
  void both() {
    add_x_forwarded(headers, facts, arena);
    add_forwarded(headers, facts, arena);
  }
  std::string_view value(std::string_view name) const { return headers.value(name); }

  Arena arena;
  http::HeaderList headers{arena};
  ForwardedFacts facts{.peer_ip = {}, .host = "shop.test", .scheme = "http"};
};

TEST_F(ForwardedTest, AFormThatTheProxyDidNotWriteIsNotPassedOn) {
  receive("X-Forwarded-For", "9.9.9.9");
  receive("Forwarded", "for=8.8.8.8");
  EXPECT_EQ(client("127.0.0.1", {"127.0.0.1"}), "9.9.9.9");
  both();
  EXPECT_EQ(value("x-forwarded-for"), "9.9.9.9, 127.0.0.1");
  EXPECT_EQ(value("forwarded"),
            "for=9.9.9.9;host=\"shop.test\";proto=http, "
            "for=127.0.0.1;host=\"shop.test\";proto=http");
}

TEST_F(ForwardedTest, WithForwardedAloneTheOtherFamilyIsDropped) {
  receive("Forwarded", "for=8.8.8.8;proto=https;host=\"public.test\"");
  receive("X-Forwarded-Proto", "ftp");
  receive("X-Forwarded-Host", "forged.test");
  receive("X-Forwarded-Prefix", "/forged");
  EXPECT_EQ(client("127.0.0.1", {"127.0.0.1"}), "8.8.8.8");
  EXPECT_EQ(headers.size(), 1U);
  both();
  EXPECT_EQ(value("x-forwarded-for"), "8.8.8.8, 127.0.0.1");
  EXPECT_EQ(value("x-forwarded-proto"), "https");
  EXPECT_EQ(value("x-forwarded-host"), "public.test");
  EXPECT_EQ(value("forwarded"),
            "for=8.8.8.8;proto=https;host=\"public.test\", "
            "for=127.0.0.1;host=\"shop.test\";proto=http");
}

TEST_F(ForwardedTest, WhatAClientChoseInAQuotedValueIsNoParameter) {
  receive("Forwarded", "host=\"a;for=1.2.3.4;b\\\";for=1.2.3.4\";for=8.8.8.8");
  EXPECT_EQ(client("127.0.0.1", {"127.0.0.1"}), "8.8.8.8");
}

TEST_F(ForwardedTest, ForwardedIsDerivedFromWhatAProxySaid) {
  receive("X-Forwarded-For", "2001:db8::1, junk\";proto=evil");
  receive("X-Forwarded-For", "10.0.0.9:99");
  receive("X-Forwarded-Proto", "https");
  receive("X-Forwarded-Host", "public.test");
  client("[::1]", {"::1"});
  add_forwarded(headers, facts, arena);
  EXPECT_EQ(value("forwarded"),
            "for=\"[2001:db8::1]\";host=\"public.test\";proto=https, for=unknown, for=10.0.0.9, "
            "for=\"[::1]\";host=\"shop.test\";proto=http");
}

TEST_F(ForwardedTest, AProtocolWithoutAClientIsToldToo) {
  receive("X-Forwarded-Proto", "https");
  client("127.0.0.1", {"127.0.0.1"});
  both();
  EXPECT_EQ(value("x-forwarded-for"), "127.0.0.1");
  EXPECT_TRUE(value("forwarded").starts_with("for=unknown;host=\"shop.test\";proto=https, for="));
}

TEST_F(ForwardedTest, WhatCannotBeQuotedIsLeftOut) {
  receive("X-Forwarded-For", "1.2.3.4");
  receive("X-Forwarded-Proto", "ht tp");
  receive("X-Forwarded-Host", "a\",for=6.6.6.6");
  client("127.0.0.1", {"127.0.0.1"});
  add_forwarded(headers, facts, arena);
  EXPECT_TRUE(value("forwarded").starts_with("for=1.2.3.4, for=127.0.0.1;")) << value("forwarded");
}

TEST_F(ForwardedTest, APeerOnAUnixSocketIsUnknown) {
  receive("X-Forwarded-For", "6.6.6.6");
  EXPECT_EQ(client("unix:/run/a", {}), "unix:/run/a");
  both();
  EXPECT_FALSE(headers.has(HeaderName::x_forwarded_for));
  EXPECT_EQ(value("forwarded"), "for=unknown;host=\"shop.test\";proto=http");
}

TEST_F(ForwardedTest, UnixPeersAreTrustedByTheirName) {
  receive("X-Forwarded-For", "9.9.9.9");
  EXPECT_EQ(client("unix:/run/a", {"unix"}), "9.9.9.9");
  both();
  EXPECT_EQ(value("x-forwarded-for"), "9.9.9.9");
  EXPECT_TRUE(value("forwarded").starts_with("for=9.9.9.9;"));
  EXPECT_TRUE(value("forwarded").contains(", for=unknown;"));
}

TEST_F(ForwardedTest, NothingButUnixOrEverybodyTrustsAUnixPeer) {
  for (const std::string_view other : {"::", "0.0.0.0/0", "127.0.0.0/8", "fe80::/10"}) {
    EXPECT_EQ(client("unix:/run/a", {other}), "unix:/run/a");
    EXPECT_FALSE(facts.trusted) << other;
  }
  client("unix:/run/a", {"::/0"});
  EXPECT_TRUE(facts.trusted);
  client("127.0.0.1", {"unix"});
  EXPECT_FALSE(facts.trusted);
}

}  // namespace
}  // namespace doorward::handler
