// ServerContext: how a listener speaks TLS, on one core. What it is made of (certificates, trust,
// ticket keys) is parsed once and shared; a change makes a new ServerContext, and connections keep
// the one they began with.
// Owner: the core's part of the snapshot, and each Stream of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tls/certificate_set.h"
#include "tls/profile.h"
#include "tls/ticket_keys.h"
#include "tls/trust.h"

namespace doorward::tls {

enum class ClientCertificates : std::uint8_t { none, optional, required };

// Immutable; made on the control thread.
struct ServerSettings {
  std::string name;  // the listener's: sessions are not resumed on another one
  std::shared_ptr<const CertificateSet> certificates;
  Profile profile = Profile::intermediate;
  std::vector<std::string> alpn;                 // in order of preference; empty: not negotiated
  std::shared_ptr<const TicketKeyring> tickets;  // null: no resumption
  std::chrono::seconds session_timeout{3600};
  ClientCertificates client_certificates = ClientCertificates::none;
  TrustPtr client_trust;  // where they are asked for
  int verify_depth = 4;   // intermediates between the client's certificate and a trusted one
};

class ServerContext {
 public:
  static Result<std::shared_ptr<const ServerContext>> make(
      std::shared_ptr<const ServerSettings> settings);

  Owned<SSL> make_ssl() const;
  const ServerSettings& settings() const { return *settings_; }
  // Did the client of a handshake ask for a name that no certificate is for, and get the default's?
  bool showed_default(SSL* ssl) const;

 private:
  explicit ServerContext(std::shared_ptr<const ServerSettings> settings)
      : settings_(std::move(settings)) {}

  Result<void> set_up();
  Result<void> try_certificates() const;
  Result<void> load_default();
  Result<void> set_up_sessions();
  void set_up_client_certificates();

  static int choose_name(SSL* ssl, int* alert, void* self);
  static int choose_certificates(SSL* ssl, void* self);
  static int choose_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                         const unsigned char* in, unsigned int in_size, void* self);
  static int staple(SSL* ssl, void* self);
  static int ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                    EVP_MAC_CTX* mac, int sealing);
  bool lists_ran_out() const;
  const CertificateSet::Group* group_of(SSL* ssl) const;
  bool use(SSL* ssl, const CertificateSet::Group& group) const;

  std::shared_ptr<const ServerSettings> settings_;
  std::string alpn_;  // as on the wire
  std::unique_ptr<TicketSealer> tickets_;
  CertificateSet::Group loaded_;  // what each handshake has from the context, before it is asked
  Owned<SSL_CTX> context_;
};

}  // namespace doorward::tls
