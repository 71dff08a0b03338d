// Trust: whose certificates are accepted: a bundle of CA certificates or the system's roots, with
// revocation lists. Parsed once on the control thread; immutable and shared by all cores.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/certificate.h"

namespace doorward::tls {

// Of a revocation list.
struct ListFacts {
  std::string issuer;
  WallTime from{};
  WallTime until = WallTime::max();  // the far future for one without an end
};

class Trust {
 public:
  static Result<std::shared_ptr<const Trust>> system();
  // `crl`: no certificate of a peer's chain may be in the lists (revocation.h).
  static Result<std::shared_ptr<const Trust>> parse(const PemFile& bundle,
                                                    const std::optional<PemFile>& crl = {});

  X509_STORE* store() const { return store_.get(); }
  const std::vector<Owned<X509>>& authorities() const { return authorities_; }
  // The names of the files; empty where there is none.
  const std::string& file() const { return file_; }
  const std::string& list_file() const { return list_file_; }
  const std::vector<ListFacts>& lists() const { return list_facts_; }
  bool has_list_of(const X509* authority) const;
  // Is it in one of the lists? By any thread.
  bool revokes(X509* certificate) const;
  bool revokes(std::string_view id) const;  // PeerCertificate::id()
  // When the first CA is without a list that is in force, after which those that it has issued are
  // refused; the far future without lists, and for lists without an end.
  WallTime lists_until() const { return lists_until_; }
  // Which certificates these lists revoke and those of `before` did not: their
  // PeerCertificate::id(). Takes its time with long lists: for the control thread.
  std::vector<std::string> revoked_since(const Trust& before) const;
  // Differs when what is trusted differs: sessions are not resumed across that.
  const std::string& digest() const { return digest_; }
  // They differ in their lists at most.
  bool has_authorities_of(const Trust& other) const { return bundle_ == other.bundle_; }

 private:
  Trust() = default;
  Result<void> add_lists(const PemFile& crl);

  Owned<X509_STORE> store_;
  std::vector<Owned<X509>> authorities_;  // none of the system's
  std::vector<Owned<X509_CRL>> lists_;
  std::vector<ListFacts> list_facts_;
  std::string file_;
  std::string list_file_;
  WallTime lists_until_ = WallTime::max();
  std::string bundle_;  // its digest: 32 bytes
  std::string digest_;  // … with the lists'
};
using TrustPtr = std::shared_ptr<const Trust>;

}  // namespace doorward::tls
