#include "tls/certificate_match.h"

#include <algorithm>

#include "text/ascii.h"
#include "text/glob.h"

namespace doorward::tls {
namespace {

constexpr std::size_t kFingerprintDigits = 64;

}  // namespace

bool any_fits(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(
      patterns, [text](const std::string& pattern) { return text::glob_match(pattern, text); });
}

bool CertificateMatch::subject_fits(const PeerCertificate& certificate) const {
  return subjects.empty() || any_fits(subjects, certificate.subject);
}

bool CertificateMatch::name_fits(const PeerCertificate& certificate) const {
  return names.empty() || std::ranges::any_of(certificate.names, [this](const std::string& name) {
           return any_fits(names, name);
         });
}

bool CertificateMatch::fingerprint_fits(const PeerCertificate& certificate) const {
  return fingerprints.empty() ||
         std::ranges::find(fingerprints, certificate.fingerprint) != fingerprints.end();
}

std::string normal_fingerprint(std::string_view written) {
  std::string digits;
  for (const char c : written) {
    if (c == ':') continue;
    if (text::hex_value(c) < 0) return {};
    digits += text::lower(c);
  }
  return digits.size() == kFingerprintDigits ? digits : std::string();
}

}  // namespace doorward::tls
