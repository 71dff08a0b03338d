#include "tls/certificate_checks.h"

#include <fmt/chrono.h>
#include <openssl/x509v3.h>

namespace doorward::tls {
namespace {

// NIST SP 800-57 part 1, 5.6.1: what today's clients refuse.
constexpr int kRsaBitsMin = 2048;
constexpr int kEcBitsMin = 224;

class Check {
 public:
  explicit Check(const Certificate& certificate) : certificate_(certificate) {}

  void error(std::string_view code, std::string_view what) { add(code, true, what); }
  void warning(std::string_view code, std::string_view what) { add(code, false, what); }
  std::vector<CertificateFinding> take() { return std::move(findings_); }

  void dates(WallTime now, std::chrono::days soon);
  void strength();
  void chain();

 private:
  void add(std::string_view code, bool is_error, std::string_view what) {
    findings_.push_back({code, is_error, fmt::format("{}: {}", certificate_.file(), what)});
  }

  const Certificate& certificate_;
  std::vector<CertificateFinding> findings_;
};

std::string day(WallTime time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

void Check::dates(WallTime now, std::chrono::days soon) {
  const CertificateFacts& facts = certificate_.facts();
  if (facts.not_before > now) {
    error("certificate_not_yet_valid", "is not valid before " + day(facts.not_before));
  }
  if (facts.not_after < now) {
    error("certificate_expired", "expired on " + day(facts.not_after));
  } else if (facts.not_after < now + soon) {
    warning("certificate_expires_soon", "expires on " + day(facts.not_after));
  }
}

void Check::strength() {
  const CertificateFacts& facts = certificate_.facts();
  const int bits_min = facts.key == KeyKind::rsa     ? kRsaBitsMin
                       : facts.key == KeyKind::ecdsa ? kEcBitsMin
                                                     : 0;
  if (facts.key_bits < bits_min) {
    error("certificate_key_weak", fmt::format("its {} key has {} bits; at least {} are safe",
                                              to_string(facts.key), facts.key_bits, bits_min));
  }
  if (facts.signature == "SHA1" || facts.signature == "MD5") {
    error("certificate_signature_weak",
          fmt::format("is signed with {}, which can be forged", facts.signature));
  }
}

// RFC 8446 §4.4.2: each certificate should certify the one before it.
void Check::chain() {
  const CertificateFacts& facts = certificate_.facts();
  if (facts.names.empty() && facts.addresses.empty()) {
    warning("certificate_nameless", "names no host (neither a subject alternative name nor a CN)");
  }
  X509* below = certificate_.leaf();
  for (int i = 0; i < sk_X509_num(certificate_.chain()); ++i) {
    X509* above = sk_X509_value(certificate_.chain(), i);
    if (X509_check_issued(above, below) != X509_V_OK) {
      warning("certificate_chain_order",
              fmt::format("certificate {} of the file did not issue the one before it", i + 2));
    }
    below = above;
  }
  if (facts.is_self_signed) warning("certificate_self_signed", "is signed by itself");
}

}  // namespace

std::vector<CertificateFinding> check_certificate(const Certificate& certificate, WallTime now,
                                                  std::chrono::days soon) {
  Check check(certificate);
  check.dates(now, soon);
  check.strength();
  check.chain();
  return check.take();
}

}  // namespace doorward::tls
