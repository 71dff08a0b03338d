// CertificateSet: the certificates of a listener, by the name that a client asks for (SNI): the
// exact name, else a wildcard for its first label (RFC 9525 §6.3), else the default. A name may
// have several keys; OpenSSL chooses among them by what the client can verify.
// Immutable; made on the control thread, shared by all cores.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tls/certificate.h"
#include "tls/ocsp.h"

namespace doorward::tls {

struct ServedCertificate {
  CertificatePtr certificate;
  OcspStaplePtr staple;                    // may be null
  std::shared_ptr<OcspSlot> fetched = {};  // instead, where staples are fetched
};

class CertificateSet {
 public:
  // Of one name: at most one of each kind of key; a later certificate takes the place of an
  // earlier.
  using Group = std::vector<const ServedCertificate*>;

  // The default answers when no name fits: the first certificate's group, unless `strict`; then
  // the handshake ends with an alert (unrecognized_name).
  explicit CertificateSet(std::vector<ServedCertificate> certificates, bool strict = false);
  CertificateSet(const CertificateSet&) = delete;
  CertificateSet& operator=(const CertificateSet&) = delete;

  // Null when nothing fits. `name` is in any case; empty: the client named none.
  const Group* find(std::string_view name) const;
  // Without the default: is there a certificate for the name?
  bool has(std::string_view name) const { return find_own(name) != nullptr; }
  // Who names nothing that fits is refused.
  bool strict() const { return default_ == nullptr; }
  const std::vector<ServedCertificate>& all() const { return certificates_; }

  // Whether one of these certificates is for this host: a name, an address, or that in brackets; in
  // lower case.
  static bool covers(const Group& group, std::string_view host);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  const Group* find_own(std::string_view name) const;
  static void put(Group& group, const ServedCertificate& served);

  std::vector<ServedCertificate> certificates_;
  std::unordered_map<std::string, Group, Hash, std::equal_to<>> by_name_;  // "*.a.example" too
  const Group* default_ = nullptr;
  Group first_;  // the default, when the first certificate has no name
};

}  // namespace doorward::tls
