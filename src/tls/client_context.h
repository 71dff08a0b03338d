// ClientContext: how Doorward speaks TLS to the endpoints of a service, on one core. The backend's
// certificate is verified unless that is switched off.
// Owner: the service's part of the snapshot, and each Stream of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/certificate.h"
#include "tls/profile.h"
#include "tls/trust.h"

namespace doorward::tls {

// Immutable; made on the control thread.
struct ClientSettings {
  bool verify = true;
  TrustPtr trust;              // needed to verify
  std::string pinned_name;     // must be in the certificate instead of the endpoint's host
  std::string sni;             // sent instead of the endpoint's host
  CertificatePtr certificate;  // null: Doorward shows none
  std::vector<std::string> alpn;
  Profile profile = Profile::intermediate;
  int verify_depth = 4;
};

// The last session with an endpoint, to resume. Owner: the endpoint, on one core; it is for one
// ClientContext, since a resumed session's certificate is not verified again.
class SessionSlot {
 public:
  SessionSlot();
  ~SessionSlot();

  void put(ssl_session_st* session);  // takes it
  ssl_session_st* get() const { return session_.get(); }

 private:
  Owned<ssl_session_st> session_;
};

// Whom a connection goes to.
struct Target {
  std::string host;                      // a name or an IP address, without port and brackets
  std::shared_ptr<SessionSlot> session;  // null: no resumption
  std::string_view only_protocol = {};   // offered by ALPN instead of those of the settings
};

class ClientContext {
 public:
  static Result<std::shared_ptr<const ClientContext>> make(
      std::shared_ptr<const ClientSettings> settings);

  Result<Owned<SSL>> make_ssl(const Target& target) const;
  const ClientSettings& settings() const { return *settings_; }

 private:
  explicit ClientContext(std::shared_ptr<const ClientSettings> settings)
      : settings_(std::move(settings)) {}
  Result<void> set_up();
  bool expect_name(SSL* ssl, const std::string& name) const;
  bool offer(SSL* ssl, std::string_view only) const;

  std::shared_ptr<const ClientSettings> settings_;
  std::string alpn_;
  Owned<SSL_CTX> context_;
};

}  // namespace doorward::tls
