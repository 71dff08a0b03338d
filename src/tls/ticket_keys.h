// Keys of session tickets (RFC 5077 §4, RFC 8446 §4.6.1), shared by all cores so that a client may
// resume on any of them.
//
// TicketKeys is an immutable value, made on the control thread; TicketKeyring holds the one in use,
// and its owner rotates it there. The first key seals new tickets; those of the others are still
// opened, and answered with a new one. Who has a key can read what was sent under its tickets
// (TLS 1.2), so they live in memory only and are wiped.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <openssl/types.h>
#include <vector>

#include "base/error.h"
#include "tls/openssl.h"

namespace doorward::tls {

struct TicketKey {
  TicketKey() = default;
  TicketKey(const TicketKey&) = default;
  TicketKey& operator=(const TicketKey&) = default;
  ~TicketKey();

  std::array<unsigned char, 16> name{};
  std::array<unsigned char, 32> cipher_key{};  // AES-256-CBC
  std::array<unsigned char, 32> mac_key{};     // HMAC-SHA-256
};

class TicketKeys {
 public:
  // One new key, and the first `kept` of `previous`'s.
  static Result<std::shared_ptr<const TicketKeys>> make(const TicketKeys* previous = nullptr,
                                                        std::size_t kept = 2);

  const std::vector<TicketKey>& keys() const { return keys_; }
  const TicketKey& current() const { return keys_.front(); }

 private:
  TicketKeys() = default;
  std::vector<TicketKey> keys_;
};
using TicketKeysPtr = std::shared_ptr<const TicketKeys>;

// A lock, taken once a handshake for the time of a pointer's copy: libstdc++ 12's atomic shared_ptr
// locks as well, and with an order that ThreadSanitizer rightly rejects.
class TicketKeyring {
 public:
  explicit TicketKeyring(TicketKeysPtr keys) : keys_(std::move(keys)) {}

  // From any thread.
  TicketKeysPtr keys() const;
  void replace(TicketKeysPtr keys);
  // By the owner.
  Result<void> rotate(std::size_t kept = 2);

 private:
  mutable std::mutex mutex_;
  TicketKeysPtr keys_;
};

// Seals and opens tickets for an SSL_CTX; one a context. Its algorithms are fetched once.
class TicketSealer {
 public:
  static Result<std::unique_ptr<TicketSealer>> make(std::shared_ptr<const TicketKeyring> keyring);

  // As SSL_CTX_set_tlsext_ticket_key_evp_cb wants it: 1 done, 2 done and to be renewed, 0 a full
  // handshake instead, -1 an error.
  int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const;
  int open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
           EVP_MAC_CTX* mac) const;

 private:
  TicketSealer() = default;

  std::shared_ptr<const TicketKeyring> keyring_;
  Owned<EVP_CIPHER> cipher_;
};

}  // namespace doorward::tls
