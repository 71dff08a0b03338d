#include "tls/pem.h"

#include <fmt/format.h>
#include <functional>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/errors.h"

namespace doorward::tls {
namespace {

struct Block {
  std::string_view label;   // "CERTIFICATE"
  std::string_view header;  // "Proc-Type: 4,ENCRYPTED" of old keys
  const unsigned char* data;
  long size;
};

Failure wrong(std::string_view file, std::string_view what) {
  return fail(ErrorKind::invalid, fmt::format("{}: {}", file, what));
}

// Hands each block to `use` until that fails.
Result<void> each_block(std::string_view file, std::string_view text,
                        const std::function<Result<void>(const Block&)>& use) {
  if (text.size() > kPemFileMax) return wrong(file, "is larger than 8 MiB");
  const Owned<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  for (;;) {
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    ERR_clear_error();
    if (PEM_read_bio(bio.get(), &label, &header, &data, &size) != 1) break;
    const Result<void> used = use({label, header, data, size});
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
    if (!used) return used;
  }
  // "no start line" is how the end of the file is told.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return openssl_failure(fmt::format("{}: a PEM block is damaged", file));
  }
  ERR_clear_error();
  return {};
}

bool is_certificate(std::string_view label) {
  return label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD;
}

bool is_encrypted(const Block& block) {
  return block.label == PEM_STRING_PKCS8 || block.header.find("ENCRYPTED") != block.header.npos;
}

// "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", … but no parameters.
bool is_key(std::string_view label) { return label.ends_with("PRIVATE KEY"); }

}  // namespace

Result<std::vector<Owned<X509>>> parse_certificates(std::string_view file, std::string_view text,
                                                    std::size_t count_max) {
  std::vector<Owned<X509>> certificates;
  const Result<void> read = each_block(file, text, [&](const Block& block) -> Result<void> {
    if (!is_certificate(block.label)) return {};
    const std::size_t number = certificates.size() + 1;
    if (number > count_max) {
      return wrong(file, fmt::format("has more than {} certificates", count_max));
    }
    const unsigned char* at = block.data;
    Owned<X509> certificate(d2i_X509(nullptr, &at, block.size));
    if (certificate == nullptr || at != block.data + block.size) {
      return openssl_failure(fmt::format("{}: certificate {} is damaged", file, number));
    }
    certificates.push_back(std::move(certificate));
    return {};
  });
  if (!read) return Failure(read.error());
  if (certificates.empty()) return wrong(file, "has no PEM certificate");
  return certificates;
}

bool has_key(std::string_view text) { return text.contains("PRIVATE KEY-----"); }

Result<Owned<EVP_PKEY>> parse_key(std::string_view file, std::string_view text) {
  Owned<EVP_PKEY> key;
  const Result<void> read = each_block(file, text, [&](const Block& block) -> Result<void> {
    if (!is_key(block.label)) return {};
    if (key != nullptr) return wrong(file, "has more than one private key");
    if (is_encrypted(block)) {
      return wrong(file, "the private key is encrypted; store it without a passphrase");
    }
    const unsigned char* at = block.data;
    key.reset(d2i_AutoPrivateKey(nullptr, &at, block.size));
    if (key == nullptr) return openssl_failure(fmt::format("{}: the key is damaged", file));
    return {};
  });
  if (!read) return Failure(read.error());
  if (key == nullptr) return wrong(file, "has no PEM private key");
  return key;
}

Result<std::vector<Owned<X509_CRL>>> parse_crls(std::string_view file, std::string_view text) {
  std::vector<Owned<X509_CRL>> lists;
  const Result<void> read = each_block(file, text, [&](const Block& block) -> Result<void> {
    if (block.label != PEM_STRING_X509_CRL) return {};
    const unsigned char* at = block.data;
    Owned<X509_CRL> list(d2i_X509_CRL(nullptr, &at, block.size));
    if (list == nullptr) {
      return openssl_failure(
          fmt::format("{}: revocation list {} is damaged", file, lists.size() + 1));
    }
    lists.push_back(std::move(list));
    return {};
  });
  if (!read) return Failure(read.error());
  if (lists.empty()) return wrong(file, "has no PEM revocation list (X509 CRL)");
  return lists;
}

}  // namespace doorward::tls
