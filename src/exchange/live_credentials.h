// LiveCredentials: what on this core was let in by which credential, while it lasts. Whoever takes
// a credential back revokes it by name on every core (Gateway::revoke reaches them by their
// mailboxes), and each use of it is told once. Requests that come later are not its business: the
// policy that checks the credential refuses them.
//
// Owner: the Core. Subtle: a use that is told may destroy itself and others.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace doorward::exchange {

class LiveCredentials;

// Leaves by itself when it is destroyed.
class CredentialUse {
 public:
  CredentialUse() = default;
  CredentialUse(const CredentialUse&) = delete;
  CredentialUse& operator=(const CredentialUse&) = delete;

  // It has left by then.
  virtual void on_revoked() = 0;

 protected:
  ~CredentialUse();

 private:
  friend class LiveCredentials;
  using ByName = std::multimap<std::string, CredentialUse*, std::less<>>;

  LiveCredentials* among_ = nullptr;  // null: it has left
  ByName::iterator place_;
};

class LiveCredentials {
 public:
  // Once for a use.
  void add(CredentialUse& use, std::string_view credential);
  void revoke(std::string_view credential);
  std::size_t count() const { return uses_.size(); }

 private:
  friend class CredentialUse;

  CredentialUse::ByName uses_;
};

// The name of a client's certificate: of the listener that vouches for it (ListenerConfig::key)
// and of tls::PeerCertificate::id().
std::string certificate_credential(std::string_view listener, std::string_view certificate);

}  // namespace doorward::exchange
