// Trust: whose certificates are accepted: a bundle of CA certificates or the system's roots, with
// revocation lists. Parsed once on the control thread; immutable and shared by all cores.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tls/certificate.h"

namespace doorward::tls {

class Trust {
 public:
  static Result<std::shared_ptr<const Trust>> system();
  // `crl`: the peer's own certificate must not be in the lists; there must be one of its issuer.
  static Result<std::shared_ptr<const Trust>> parse(const PemFile& bundle,
                                                    const std::optional<PemFile>& crl = {});

  X509_STORE* store() const { return store_.get(); }
  const std::vector<Owned<X509>>& authorities() const { return authorities_; }
  // When the first of the revocation lists runs out, after which those that it speaks of are
  // refused; the far future without lists, and for lists without an end.
  WallTime lists_until() const { return lists_until_; }
  // Differs when what is trusted differs: sessions are not resumed across that.
  const std::string& digest() const { return digest_; }

 private:
  Trust() = default;

  Owned<X509_STORE> store_;
  std::vector<Owned<X509>> authorities_;  // none of the system's
  WallTime lists_until_ = WallTime::max();
  std::string digest_;  // 32 bytes
};
using TrustPtr = std::shared_ptr<const Trust>;

}  // namespace doorward::tls
