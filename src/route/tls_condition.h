// TlsCondition: what a route asks of the client's TLS, compiled. Part of a Snapshot, immutable.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "route/field_problem.h"
#include "route/match.h"
#include "tls/certificate_match.h"

namespace doorward::route {

class TlsCondition {
 public:
  TlsCondition() = default;  // asks for nothing
  // Appends to `problems` what cannot be understood.
  TlsCondition(const TlsMatch& match, std::vector<FieldProblem>& problems);

  unsigned count() const { return count_; }
  // `tls` is null where nothing is known.
  bool holds(const tls::ClientTls* tls) const { return count_ == 0 || all_hold(tls); }
  // Does every client for which `other` holds hold here too? True only when it is certain.
  bool implied_by(const TlsCondition& other) const;
  // Sentences on what does not hold.
  std::vector<std::string> reasons(const tls::ClientTls* tls) const;

 private:
  bool all_hold(const tls::ClientTls* tls) const;

  std::vector<std::string> snis_;  // lower case
  tls::CertificateMatch match_;
  std::optional<bool> wanted_;  // a certificate, or none
  unsigned count_ = 0;
};

}  // namespace doorward::route
