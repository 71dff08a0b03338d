// The blocks of a PEM file (RFC 7468), and what is wrong with them, in words that name the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tls/openssl.h"

namespace doorward::tls {

inline constexpr std::size_t kPemFileMax = std::size_t{8} << 20;
inline constexpr std::size_t kChainMax = 32;     // certificates of a chain
inline constexpr std::size_t kBundleMax = 4096;  // of a CA bundle

// All certificates of `text`, in order; at least one, at most `count_max`. Other blocks are passed.
Result<std::vector<Owned<X509>>> parse_certificates(std::string_view file, std::string_view text,
                                                    std::size_t count_max);
// Does it hold a private key, of any kind?
bool has_key(std::string_view text);
// The one private key of `text`. A key with a passphrase is an error: nobody is there to type it.
Result<Owned<EVP_PKEY>> parse_key(std::string_view file, std::string_view text);
Result<std::vector<Owned<X509_CRL>>> parse_crls(std::string_view file, std::string_view text);

}  // namespace doorward::tls
