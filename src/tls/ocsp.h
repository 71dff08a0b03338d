// OcspStaple: a response (RFC 6960, DER) that a server sends with its certificate, so that clients
// need not ask. Checked once, on the control thread: it must be its issuer's word, for this very
// certificate, "good" and fresh; a stapled answer that clients refuse is worse than none.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "tls/certificate.h"

namespace doorward::tls {

class OcspStaple {
 public:
  static Result<std::shared_ptr<const OcspStaple>> parse(std::string_view file,
                                                         std::string_view der,
                                                         const Certificate& certificate,
                                                         WallTime now);

  const std::string& der() const { return der_; }
  // When it is of no use any more; then it is no longer sent.
  WallTime next_update() const { return next_update_; }

 private:
  OcspStaple(std::string_view der, WallTime next_update) : der_(der), next_update_(next_update) {}

  std::string der_;
  WallTime next_update_;
};
using OcspStaplePtr = std::shared_ptr<const OcspStaple>;

// Where a staple lies that is fetched while its certificate is served. A lock, for the time of a
// pointer's copy (as TicketKeyring has one).
class OcspSlot {
 public:
  // From any thread; null as long as there is none.
  OcspStaplePtr staple() const;
  // By the control thread.
  void put(OcspStaplePtr staple);

 private:
  mutable std::mutex mutex_;
  OcspStaplePtr staple_;
};

// What a certificate's responder is asked, and where (RFC 6960 §4.1; RFC 5019 §2: without nonce).
struct OcspQuestion {
  std::string url;
  std::string der;
};
// Fails where the certificate names no responder over http, or its issuer is not in the file.
Result<OcspQuestion> ocsp_question(const Certificate& certificate);

}  // namespace doorward::tls
