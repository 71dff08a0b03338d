// CertificateMatch: which client certificates are meant, as routes and policies declare it. A list
// that is empty asks for nothing; of every other one an item must fit. In patterns "*" stands for
// any run of characters, whatever they mean in a name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tls/facts.h"

namespace doorward::tls {

struct CertificateMatch {
  std::vector<std::string> subjects;      // patterns over RFC 4514: "CN=app-*,O=Example"
  std::vector<std::string> names;         // patterns: "DNS:*.example", "URI:spiffe://a/*"
  std::vector<std::string> fingerprints;  // as normal_fingerprint() makes them

  bool empty() const { return subjects.empty() && names.empty() && fingerprints.empty(); }
  bool subject_fits(const PeerCertificate& certificate) const;
  bool name_fits(const PeerCertificate& certificate) const;
  bool fingerprint_fits(const PeerCertificate& certificate) const;
  bool fits(const PeerCertificate& certificate) const {
    return subject_fits(certificate) && name_fits(certificate) && fingerprint_fits(certificate);
  }
  bool operator==(const CertificateMatch&) const = default;
};

// Does one of the patterns fit?
bool any_fits(const std::vector<std::string>& patterns, std::string_view text);

// "AB:CD:…" and "abcd…" are the same: lower case, without colons. Empty when it is no SHA-256.
std::string normal_fingerprint(std::string_view written);

}  // namespace doorward::tls
