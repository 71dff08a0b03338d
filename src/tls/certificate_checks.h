// What `doorward check` says of a certificate that can be used, but should not or not for long.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tls/certificate.h"

namespace doorward::tls {

struct CertificateFinding {
  std::string_view code;  // stable: "certificate_expired"
  bool is_error = false;  // clients refuse it
  std::string text;       // "certs/a.pem: expired on 2026-01-02"
};

inline constexpr std::chrono::days kExpiresSoon{21};

std::vector<CertificateFinding> check_certificate(const Certificate& certificate, WallTime now,
                                                  std::chrono::days soon = kExpiresSoon);

}  // namespace doorward::tls
