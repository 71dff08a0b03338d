// Certificate: a chain with its private key, parsed once on the control thread and then immutable;
// all cores share it. PEM only (RFC 7468), chain and key in one file or in two.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "tls/openssl.h"

namespace doorward::tls {

enum class KeyKind : std::uint8_t { rsa, ecdsa, eddsa, other };
std::string_view to_string(KeyKind kind);

// What is known of a chain's first certificate.
struct CertificateFacts {
  std::vector<std::string> names;  // lower case, of the SAN, or the CN where there is no SAN
  std::vector<std::string> addresses;
  std::string subject;
  std::string issuer;
  std::string fingerprint;  // SHA-256, lower-case hex
  WallTime not_before{};
  WallTime not_after{};
  KeyKind key = KeyKind::other;
  int key_bits = 0;
  std::string signature;  // its digest: "SHA256"; empty for EdDSA
  bool is_self_signed = false;
};

// The text of a file and how messages name it. It may hold a key, so it is wiped when it goes.
struct PemFile {
  std::string name;
  std::string text;

  ~PemFile();
};
// Of at most kPemFileMax. The errno of a failure is its code.
Result<PemFile> read_pem_file(const std::string& path);

class Certificate {
 public:
  // `key` may be the same file as `chain`. The first certificate must be the key's own.
  static Result<std::shared_ptr<const Certificate>> parse(const PemFile& chain, const PemFile& key);
  static Result<std::shared_ptr<const Certificate>> load(const std::string& chain_path,
                                                         const std::string& key_path);

  const CertificateFacts& facts() const { return facts_; }
  const std::string& file() const { return file_; }

  X509* leaf() const { return leaf_.get(); }
  // What stands between the leaf and a root, as sent.
  stack_st_X509* chain() const { return chain_.get(); }
  // The leaf's issuer if the file has it, else null.
  X509* issuer() const;
  EVP_PKEY* key() const { return key_.get(); }

 private:
  Certificate() = default;

  CertificateFacts facts_;
  std::string file_;
  Owned<X509> leaf_;
  Owned<stack_st_X509> chain_;
  Owned<EVP_PKEY> key_;
};
using CertificatePtr = std::shared_ptr<const Certificate>;

CertificateFacts facts_of(X509* certificate);

}  // namespace doorward::tls
