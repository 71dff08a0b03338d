// Who is told that a credential was revoked.
#include "exchange/live_credentials.h"

#include <gtest/gtest.h>
#include <memory>
#include <vector>

namespace doorward::exchange {
namespace {

struct Use final : CredentialUse {
  void on_revoked() override {
    ++told;
    if (then) then();
  }
  int told = 0;
  std::function<void()> then;
};

TEST(LiveCredentials, EachUseOfACredentialIsToldOnce) {
  LiveCredentials live;
  Use first, second, other;
  live.add(first, "api_key 1");
  live.add(second, "api_key 1");
  live.add(other, "api_key 11");
  live.revoke("api_key 1");
  live.revoke("api_key 1");
  EXPECT_EQ(first.told, 1);
  EXPECT_EQ(second.told, 1);
  EXPECT_EQ(other.told, 0);
  EXPECT_EQ(live.count(), 1u);
}

TEST(LiveCredentials, WhatHasEndedIsForgotten) {
  LiveCredentials live;
  {
    Use gone;
    live.add(gone, "a");
    EXPECT_EQ(live.count(), 1u);
  }
  EXPECT_EQ(live.count(), 0u);
  live.revoke("a");
}

TEST(LiveCredentials, AUseThatIsToldMayEndOthersAndItself) {
  LiveCredentials live;
  std::vector<std::unique_ptr<Use>> uses;
  for (int i = 0; i < 3; ++i) live.add(*uses.emplace_back(std::make_unique<Use>()), "a");
  int told = 0;
  for (auto& use : uses) {
    use->then = [&] {
      ++told;
      uses.clear();
    };
  }
  live.revoke("a");
  EXPECT_EQ(told, 1);
  EXPECT_EQ(live.count(), 0u);
}

TEST(LiveCredentials, WhoComesBackWhileItIsRevokedIsToldToo) {
  LiveCredentials live;
  Use again, use;
  use.then = [&] { live.add(again, "a"); };
  live.add(use, "a");
  live.revoke("a");
  EXPECT_EQ(again.told, 1);
}

TEST(LiveCredentials, ACertificateIsOneOfItsListener) {
  EXPECT_NE(certificate_credential("0.0.0.0:443", "01 CN=CA"),
            certificate_credential("0.0.0.0:444", "01 CN=CA"));
}

}  // namespace
}  // namespace doorward::exchange
