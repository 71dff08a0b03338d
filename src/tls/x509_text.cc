#include "tls/x509_text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <ctime>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include "tls/openssl.h"

namespace doorward::tls {
namespace {

std::string_view bytes_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string hex(std::string_view bytes, bool upper) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += upper ? fmt::format("{:02X}", value) : fmt::format("{:02x}", value);
  }
  return text;
}

std::string address_text(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

// A name with a NUL or another control character inside is none: it would be read in two ways.
bool is_clean(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return !text.empty();
}

std::string general_name(const GENERAL_NAME& name) {
  const auto tagged = [](std::string_view tag, std::string_view text) {
    return is_clean(text) ? fmt::format("{}:{}", tag, text) : std::string();
  };
  switch (name.type) {
    case GEN_DNS:
      return tagged("DNS", bytes_of(name.d.dNSName));
    case GEN_URI:
      return tagged("URI", bytes_of(name.d.uniformResourceIdentifier));
    case GEN_EMAIL:
      return tagged("EMAIL", bytes_of(name.d.rfc822Name));
    case GEN_IPADD:
      return tagged("IP", address_text(bytes_of(name.d.iPAddress)));
    default:
      return {};
  }
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

std::string name_text(const X509_NAME* name) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  const auto text = bytes_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  return is_clean(text) ? std::string(text) : std::string();
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    std::string text = general_name(*sk_GENERAL_NAME_value(all, i));
    if (!text.empty()) names.push_back(std::move(text));
  }
  GENERAL_NAMES_free(all);
  return names;
}

std::string serial_text(const ASN1_INTEGER* serial) {
  const std::string text = hex(bytes_of(serial), true);
  return ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" + text : text;
}

std::string serial_of(const X509* certificate) {
  return serial_text(X509_get0_serialNumber(certificate));
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return hex({reinterpret_cast<const char*>(digest.data()), size}, false);
}

// WallTime ends in 2262; "never" is the end of 9999 (RFC 5280 §4.1.2.5). A little is left on both
// sides for those who add to it.
WallTime time_of(const ASN1_TIME* time) {
  constexpr std::time_t kFarthest = 9'000'000'000;  // 2255, and 1684
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(std::clamp(timegm(&parts), -kFarthest, kFarthest));
}

}  // namespace doorward::tls
