// Ticket keys: rotation keeps as many as asked for, and a sealer opens what any of them sealed.
#include "tls/ticket_keys.h"

#include <atomic>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <thread>

namespace doorward::tls {
namespace {

struct Sealed {
  std::array<unsigned char, 16> name{};
  std::array<unsigned char, 16> iv{};
};

class TicketTest : public testing::Test {
 protected:
  int seal(Sealed& to) { return with_contexts(&to, nullptr); }
  int open(const Sealed& from) { return with_contexts(nullptr, &from); }

  std::shared_ptr<TicketKeyring> keyring_ = std::make_shared<TicketKeyring>(*TicketKeys::make());

 private:
  int with_contexts(Sealed* to, const Sealed* from) {
    auto sealer = TicketSealer::make(keyring_);
    EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
    const Owned<EVP_MAC> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    EVP_MAC_CTX* mac = EVP_MAC_CTX_new(hmac.get());
    const int result = to != nullptr
                           ? (*sealer)->seal(to->name.data(), to->iv.data(), cipher, mac)
                           : (*sealer)->open(from->name.data(), from->iv.data(), cipher, mac);
    EVP_MAC_CTX_free(mac);
    EVP_CIPHER_CTX_free(cipher);
    return result;
  }
};

TEST_F(TicketTest, OpensWhatFormerKeysSealed) {
  Sealed sealed;
  EXPECT_EQ(seal(sealed), 1);
  EXPECT_EQ(open(sealed), 1);
  ASSERT_TRUE(keyring_->rotate(2).has_value());
  EXPECT_EQ(open(sealed), 2);  // and is to be renewed
  ASSERT_TRUE(keyring_->rotate(2).has_value());
  EXPECT_EQ(open(sealed), 2);
  EXPECT_EQ(keyring_->keys()->keys().size(), 3u);
  ASSERT_TRUE(keyring_->rotate(2).has_value());
  EXPECT_EQ(open(sealed), 0);
  EXPECT_EQ(keyring_->keys()->keys().size(), 3u);
}

TEST_F(TicketTest, SealsDifferentlyEachTime) {
  Sealed one;
  Sealed other;
  EXPECT_EQ(seal(one), 1);
  EXPECT_EQ(seal(other), 1);
  EXPECT_EQ(one.name, other.name);
  EXPECT_NE(one.iv, other.iv);
}

TEST_F(TicketTest, RotatesWhileOthersSeal) {
  std::atomic<bool> stop = false;
  std::thread user([&] {
    Sealed sealed;
    while (!stop) EXPECT_EQ(seal(sealed), 1);
  });
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(keyring_->rotate(2).has_value());
  stop = true;
  user.join();
}

}  // namespace
}  // namespace doorward::tls
