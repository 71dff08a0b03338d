// What `doorward check` says of certificates, CAs and revocation lists that can be used, but should
// not or not for long.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tls/certificate.h"
#include "tls/trust.h"

namespace doorward::tls {

struct CertificateFinding {
  std::string_view code;  // stable: "certificate_expired"
  bool is_error = false;  // peers refuse it, or are refused for it
  std::string text;       // "certs/a.pem: expired on 2026-01-02"
  bool of_lists = false;  // it is about the file of revocation lists
};

inline constexpr std::chrono::days kExpiresSoon{21};

// Who shows it: a listener to clients, or Doorward to backends, who ask for no host's name in it.
enum class ShownBy : std::uint8_t { listener, client };

// Of all certificates of the file: the leaf, and what stands between it and the root.
std::vector<CertificateFinding> check_certificate(const Certificate& certificate, WallTime now,
                                                  std::chrono::days soon = kExpiresSoon,
                                                  ShownBy shown_by = ShownBy::listener);
// Of a bundle and its lists. Roots of the system are not ours to judge.
std::vector<CertificateFinding> check_trust(const Trust& trust, WallTime now,
                                            std::chrono::days soon = kExpiresSoon);

}  // namespace doorward::tls
