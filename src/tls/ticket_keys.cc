#include "tls/ticket_keys.h"

#include <algorithm>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "tls/errors.h"

namespace doorward::tls {
namespace {

constexpr int kIvSize = 16;

bool init_mac(EVP_MAC_CTX* mac, const TicketKey& key) {
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> params = {
      OSSL_PARAM_construct_octet_string(
          OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac_key.data()), key.mac_key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

}  // namespace

TicketKey::~TicketKey() {
  OPENSSL_cleanse(cipher_key.data(), cipher_key.size());
  OPENSSL_cleanse(mac_key.data(), mac_key.size());
}

Result<TicketKeysPtr> TicketKeys::make(const TicketKeys* previous, std::size_t kept) {
  const std::shared_ptr<TicketKeys> made(new TicketKeys);
  TicketKey& fresh = made->keys_.emplace_back();
  if (RAND_bytes(fresh.name.data(), static_cast<int>(fresh.name.size())) != 1 ||
      RAND_priv_bytes(fresh.cipher_key.data(), static_cast<int>(fresh.cipher_key.size())) != 1 ||
      RAND_priv_bytes(fresh.mac_key.data(), static_cast<int>(fresh.mac_key.size())) != 1) {
    return openssl_failure("no randomness for ticket keys");
  }
  if (previous != nullptr) {
    const std::size_t count = std::min(kept, previous->keys_.size());
    made->keys_.insert(made->keys_.end(), previous->keys_.begin(),
                       previous->keys_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return TicketKeysPtr(made);
}

TicketKeysPtr TicketKeyring::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

void TicketKeyring::replace(TicketKeysPtr keys) {
  const std::lock_guard lock(mutex_);
  keys_.swap(keys);
}

Result<void> TicketKeyring::rotate(std::size_t kept) {
  const TicketKeysPtr now = keys();
  auto next = TicketKeys::make(now.get(), kept);
  if (!next) return Failure(std::move(next.error()));
  replace(std::move(*next));
  return {};
}

Result<std::unique_ptr<TicketSealer>> TicketSealer::make(
    std::shared_ptr<const TicketKeyring> keyring) {
  std::unique_ptr<TicketSealer> made(new TicketSealer);
  made->keyring_ = std::move(keyring);
  made->cipher_.reset(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
  if (made->cipher_ == nullptr) return openssl_failure("AES-256-CBC for session tickets");
  return made;
}

int TicketSealer::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac) const {
  const TicketKeysPtr keys = keyring_->keys();
  const TicketKey& key = keys->current();
  std::copy(key.name.begin(), key.name.end(), name);
  if (RAND_bytes(iv, kIvSize) != 1) return -1;
  const bool ready =
      EVP_EncryptInit_ex2(cipher, cipher_.get(), key.cipher_key.data(), iv, nullptr) == 1 &&
      init_mac(mac, key);
  return ready ? 1 : -1;
}

// The name is public, but is compared in constant time all the same; so is the tag, by OpenSSL.
int TicketSealer::open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac) const {
  const TicketKeysPtr keys = keyring_->keys();
  for (const TicketKey& key : keys->keys()) {
    if (CRYPTO_memcmp(key.name.data(), name, key.name.size()) != 0) continue;
    const bool ready =
        EVP_DecryptInit_ex2(cipher, cipher_.get(), key.cipher_key.data(), iv, nullptr) == 1 &&
        init_mac(mac, key);
    if (!ready) return -1;
    return &key == &keys->current() ? 1 : 2;
  }
  return 0;
}

}  // namespace doorward::tls
