#include "tls/certificate_checks.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <openssl/x509v3.h>

namespace doorward::tls {
namespace {

// NIST SP 800-57 part 1, 5.6.1: what today's clients refuse.
constexpr int kRsaBitsMin = 2048;
constexpr int kEcBitsMin = 224;
// A bundle of more CAs is a collection of public roots, of which some always near their end.
constexpr std::size_t kOwnAuthoritiesMost = 16;
// A list is told of in the last quarter of its life, which may be hours, and not before a week.
constexpr int kListQuarter = 4;
constexpr std::chrono::days kListEndsSoon{7};

std::string day(WallTime time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string minute(WallTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

// What findings are called; of a served certificate, and of a CA in a bundle.
struct Codes {
  std::string_view expired, expires_soon, not_yet_valid, key_weak;
};
constexpr Codes kCertificateCodes{"certificate_expired", "certificate_expires_soon",
                                  "certificate_not_yet_valid", "certificate_key_weak"};
constexpr Codes kAuthorityCodes{"ca_expired", "ca_expires_soon", "ca_not_yet_valid", "ca_key_weak"};

class Check {
 public:
  Check(const Codes& codes, WallTime now, std::chrono::days soon)
      : codes_(codes), now_(now), soon_(soon) {}

  // What the following findings are about: "certs/a.pem: ".
  void about(std::string subject) { subject_ = std::move(subject); }
  void error(std::string_view code, std::string_view what) { add(code, true, what); }
  void warning(std::string_view code, std::string_view what) { add(code, false, what); }
  std::vector<CertificateFinding> take() { return std::move(findings_); }

  void dates(const CertificateFacts& facts);
  void key(const CertificateFacts& facts);
  void signature(const CertificateFacts& facts);
  void list(const Trust& trust, const ListFacts& facts);
  void missing_list(const Trust& trust, X509* authority);

 private:
  void add(std::string_view code, bool is_error, std::string_view what) {
    findings_.push_back({code, is_error, fmt::format("{}{}", subject_, what)});
  }

  const Codes& codes_;
  const WallTime now_;
  const std::chrono::days soon_;
  std::string subject_;
  std::vector<CertificateFinding> findings_;
};

void Check::dates(const CertificateFacts& facts) {
  if (facts.not_before > now_) {
    error(codes_.not_yet_valid, "is not valid before " + day(facts.not_before));
  }
  if (facts.not_after < now_) {
    error(codes_.expired, "expired on " + day(facts.not_after));
  } else if (facts.not_after < now_ + soon_) {
    warning(codes_.expires_soon, "expires on " + day(facts.not_after));
  }
}

void Check::key(const CertificateFacts& facts) {
  const int bits_min = facts.key == KeyKind::rsa     ? kRsaBitsMin
                       : facts.key == KeyKind::ecdsa ? kEcBitsMin
                                                     : 0;
  if (facts.key_bits >= bits_min) return;
  error(codes_.key_weak, fmt::format("its {} key has {} bits; at least {} are safe",
                                     to_string(facts.key), facts.key_bits, bits_min));
}

void Check::signature(const CertificateFacts& facts) {
  if (facts.signature != "SHA1" && facts.signature != "MD5") return;
  error("certificate_signature_weak",
        fmt::format("is signed with {}, which can be forged", facts.signature));
}

// RFC 8446 §4.4.2: each certificate should certify the one before it.
void check_order(Check& check, const Certificate& certificate) {
  X509* below = certificate.leaf();
  for (int i = 0; i < sk_X509_num(certificate.chain()); ++i) {
    X509* above = sk_X509_value(certificate.chain(), i);
    if (X509_check_issued(above, below) != X509_V_OK) {
      check.warning(
          "certificate_chain_order",
          fmt::format("certificate {} of the file did not issue the one before it", i + 2));
    }
    below = above;
  }
}

void check_between(Check& check, const Certificate& certificate) {
  for (int i = 0; i < sk_X509_num(certificate.chain()); ++i) {
    const CertificateFacts facts = facts_of(sk_X509_value(certificate.chain(), i));
    check.about(fmt::format("{}: certificate {} of the file ({}) ", certificate.file(), i + 2,
                            facts.subject));
    check.dates(facts);
    check.key(facts);
    if (!facts.is_self_signed) check.signature(facts);  // of a root nobody looks at it
  }
}

// The old certificate of a CA that goes on under a new one is kept for a while.
bool has_successor(const std::vector<CertificateFacts>& all, const CertificateFacts& one,
                   WallTime now) {
  return std::ranges::any_of(all, [&](const CertificateFacts& other) {
    return other.subject == one.subject && other.not_after > one.not_after &&
           other.not_before <= now;
  });
}

// OpenSSL takes the list of an issuer that is in force, however many there are.
bool has_successor(const std::vector<ListFacts>& all, const ListFacts& one, WallTime now) {
  return std::ranges::any_of(all, [&](const ListFacts& other) {
    return other.issuer == one.issuer && other.until > one.until && other.from <= now;
  });
}

bool has_one_in_force(const std::vector<ListFacts>& all, const std::string& issuer, WallTime now) {
  return std::ranges::any_of(all, [&](const ListFacts& list) {
    return list.issuer == issuer && list.from <= now && list.until >= now;
  });
}

void Check::list(const Trust& trust, const ListFacts& facts) {
  if (has_successor(trust.lists(), facts, now_)) return;
  const bool early = facts.from > now_;
  if (early && has_one_in_force(trust.lists(), facts.issuer, now_)) return;
  about(fmt::format("{}: the list of {} ", trust.list_file(), facts.issuer));
  const WallTime::duration life = facts.until - std::max(facts.from, WallTime{});
  const WallTime::duration ahead = std::min<WallTime::duration>(life / kListQuarter, kListEndsSoon);
  if (early) {
    error("crl_not_yet_valid", fmt::format("is not in force before {}: the clients of this CA are "
                                           "refused",
                                           minute(facts.from)));
  } else if (facts.until < now_) {
    error("crl_out_of_date",
          fmt::format("ran out on {}: the clients of this CA are refused", minute(facts.until)));
  } else if (facts.until != WallTime::max() && facts.until < now_ + ahead) {
    warning("crl_ends_soon", fmt::format("runs out on {}: then the clients of this CA are refused",
                                         minute(facts.until)));
  } else {
    return;
  }
  findings_.back().of_lists = true;
}

void Check::missing_list(const Trust& trust, X509* authority) {
  if (X509_check_ca(authority) == 0 || trust.has_list_of(authority)) return;
  about(fmt::format("{}: ", trust.list_file()));
  warning("crl_missing",
          fmt::format("there is no list of {}: what it has issued is refused, unless that is in {} "
                      "itself",
                      facts_of(authority).subject, trust.file()));
  findings_.back().of_lists = true;
}

}  // namespace

std::vector<CertificateFinding> check_certificate(const Certificate& certificate, WallTime now,
                                                  std::chrono::days soon, ShownBy shown_by) {
  Check check(kCertificateCodes, now, soon);
  const CertificateFacts& facts = certificate.facts();
  const bool to_clients = shown_by == ShownBy::listener;
  check.about(certificate.file() + ": ");
  check.dates(facts);
  check.key(facts);
  check.signature(facts);
  if (to_clients && facts.names.empty() && facts.addresses.empty()) {
    check.warning("certificate_nameless",
                  "names no host (neither a subject alternative name nor a CN)");
  }
  check_order(check, certificate);
  if (to_clients && facts.is_self_signed) {
    check.warning("certificate_self_signed", "is signed by itself");
  }
  check_between(check, certificate);
  return check.take();
}

std::vector<CertificateFinding> check_trust(const Trust& trust, WallTime now,
                                            std::chrono::days soon) {
  Check check(kAuthorityCodes, now, soon);
  std::vector<CertificateFacts> all;
  for (const Owned<X509>& authority : trust.authorities()) all.push_back(facts_of(authority.get()));
  const bool own = all.size() <= kOwnAuthoritiesMost;
  for (std::size_t i = 0; i < all.size() && own; ++i) {
    check.about(fmt::format("{}: the CA {} ", trust.file(), all[i].subject));
    if (!has_successor(all, all[i], now)) check.dates(all[i]);
    check.key(all[i]);
  }
  for (const ListFacts& list : trust.lists()) check.list(trust, list);
  if (trust.list_file().empty() || !own) return check.take();
  for (const Owned<X509>& authority : trust.authorities()) {
    check.missing_list(trust, authority.get());
    if (!trust.revokes(authority.get())) continue;
    check.about(fmt::format("{}: the CA {} ", trust.file(), facts_of(authority.get()).subject));
    check.error("ca_revoked", fmt::format("is revoked by {}", trust.list_file()));
  }
  return check.take();
}

}  // namespace doorward::tls
