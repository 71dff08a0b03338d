#include "tls/server_context.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/tls1.h>

#include "base/check.h"
#include "tls/errors.h"
#include "tls/facts.h"

namespace doorward::tls {
namespace {

ServerContext* context_of(SSL* ssl) {
  return static_cast<ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

}  // namespace

Result<std::shared_ptr<const ServerContext>> ServerContext::make(
    std::shared_ptr<const ServerSettings> settings) {
  std::shared_ptr<ServerContext> made(new ServerContext(std::move(settings)));
  if (auto done = made->set_up(); !done) return Failure(std::move(done.error()));
  return made;
}

Result<void> ServerContext::set_up() {
  context_.reset(SSL_CTX_new(TLS_server_method()));
  if (context_ == nullptr) return openssl_failure("TLS context");
  SSL_CTX* context = context_.get();
  if (auto done = apply_profile(context, settings_->profile); !done) return done;
  if (auto done = try_certificates(); !done) return done;
  if (auto done = load_default(); !done) return done;
  auto wire = alpn_wire(settings_->alpn);
  if (!wire) return Failure(std::move(wire.error()));
  alpn_ = std::move(*wire);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_tlsext_servername_callback(context, choose_name);
  SSL_CTX_set_tlsext_servername_arg(context, this);
  SSL_CTX_set_cert_cb(context, choose_certificates, this);
  SSL_CTX_set_tlsext_status_cb(context, staple);
  SSL_CTX_set_tlsext_status_arg(context, this);
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, choose_alpn, this);
  if (settings_->client_certificates != ClientCertificates::none) {
    if (settings_->client_trust == nullptr) {
      return fail(ErrorKind::invalid, "client certificates are asked for, but no CA is trusted");
    }
    set_up_client_certificates();
  }
  return set_up_sessions();
}

// What OpenSSL will not serve (by its security level: a weak key) is told now, not to each client.
Result<void> ServerContext::try_certificates() const {
  if (settings_->certificates == nullptr || settings_->certificates->all().empty()) {
    return fail(ErrorKind::invalid, "TLS without a certificate");
  }
  const Owned<SSL> ssl = make_ssl();
  for (const ServedCertificate& served : settings_->certificates->all()) {
    const Certificate& own = *served.certificate;
    if (SSL_use_cert_and_key(ssl.get(), own.leaf(), own.key(), own.chain(), 1) != 1) {
      return openssl_failure(own.file() + ": cannot be served");
    }
  }
  return {};
}

// To give a handshake its certificates, OpenSSL compares them with their keys and judges them anew;
// those of the context it takes over as they are. So the context has what most clients ask for.
Result<void> ServerContext::load_default() {
  const CertificateSet::Group* group = settings_->certificates->find({});
  if (group == nullptr) return {};  // only who names one gets a certificate
  for (const ServedCertificate* served : *group) {
    const Certificate& own = *served->certificate;
    if (SSL_CTX_use_cert_and_key(context_.get(), own.leaf(), own.key(), own.chain(), 1) != 1) {
      return openssl_failure(own.file() + ": cannot be served");
    }
  }
  loaded_ = *group;
  return {};
}

void ServerContext::set_up_client_certificates() {
  SSL_CTX* context = context_.get();
  const bool required = settings_->client_certificates == ClientCertificates::required;
  // With `optional` a client may send none; what it sends must be good all the same.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  SSL_CTX_set_verify_depth(context, settings_->verify_depth);
  SSL_CTX_set1_verify_cert_store(context, settings_->client_trust->store());
  // RFC 8446 §4.2.4: tells the client whose certificate to choose.
  for (const Owned<X509>& authority : settings_->client_trust->authorities()) {
    SSL_CTX_add_client_CA(context, authority.get());
  }
}

// Sessions live in tickets only: nothing is kept here. A ticket is good for this listener's name
// and what it trusts, so that a client cannot come in with what it was allowed elsewhere.
Result<void> ServerContext::set_up_sessions() {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (settings_->tickets == nullptr) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return {};
  }
  auto sealer = TicketSealer::make(settings_->tickets);
  if (!sealer) return Failure(std::move(sealer.error()));
  tickets_ = std::move(*sealer);
  std::string scope = settings_->name;
  scope += '\0';
  scope += static_cast<char>('0' + static_cast<int>(settings_->client_certificates));
  if (settings_->client_trust != nullptr) scope += settings_->client_trust->digest();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(scope.data(), scope.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SSL_CTX_set_session_id_context(context, digest.data(), size);
  SSL_CTX_set_timeout(context, static_cast<long>(settings_->session_timeout.count()));
  if (SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket) != 1) {
    return openssl_failure("session tickets");
  }
  if (settings_->client_trust != nullptr) {
    const auto keep = [](SSL* ssl, void*) {
      keep_authorities(ssl);
      return 1;
    };
    SSL_CTX_set_session_ticket_cb(context, keep, nullptr, nullptr);
  }
  return {};
}

Owned<SSL> ServerContext::make_ssl() const {
  Owned<SSL> ssl(SSL_new(context_.get()));
  DOORWARD_CHECK(ssl != nullptr);
  return ssl;
}

const CertificateSet::Group* ServerContext::group_of(SSL* ssl) const {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return settings_->certificates->find(name == nullptr ? std::string_view() : name);
}

bool ServerContext::showed_default(SSL* ssl) const {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const CertificateSet& certificates = *settings_->certificates;
  return name != nullptr && !certificates.has(name) && certificates.find(name) != nullptr;
}

// RFC 6066 §3: a name that is not served ends the handshake, where there is no default.
int ServerContext::choose_name(SSL* ssl, int* alert, void* self) {
  if (static_cast<ServerContext*>(self)->group_of(ssl) != nullptr) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int ServerContext::choose_certificates(SSL* ssl, void* self) {
  const auto& own = *static_cast<ServerContext*>(self);
  const CertificateSet::Group* group = own.group_of(ssl);
  return group != nullptr && own.use(ssl, *group) ? 1 : 0;
}

bool ServerContext::use(SSL* ssl, const CertificateSet::Group& group) const {
  if (group == loaded_) return true;
  SSL_certs_clear(ssl);  // a kind of key that this name lacks must not come from the default's
  return std::all_of(group.begin(), group.end(), [ssl](const ServedCertificate* served) {
    const Certificate& own = *served->certificate;
    return SSL_use_cert_and_key(ssl, own.leaf(), own.key(), own.chain(), 1) == 1;
  });
}

// The first of ours that the client speaks too (RFC 7301 §3.2).
int ServerContext::choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size,
                               const unsigned char* in, unsigned int in_size, void* self) {
  const std::string& ours = static_cast<ServerContext*>(self)->alpn_;
  unsigned char* chosen = nullptr;
  const int result =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned int>(ours.size()), in, in_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// RFC 6066 §8.
int ServerContext::staple(SSL* ssl, void* self) {
  const CertificateSet::Group* group = static_cast<ServerContext*>(self)->group_of(ssl);
  const X509* leaf = SSL_get_certificate(ssl);
  if (group == nullptr) return SSL_TLSEXT_ERR_NOACK;
  for (const ServedCertificate* served : *group) {
    if (served->certificate->leaf() != leaf) continue;
    const OcspStaplePtr staple =
        served->fetched == nullptr ? served->staple : served->fetched->staple();
    if (staple == nullptr || staple->next_update() <= std::chrono::system_clock::now()) break;
    const std::string& der = staple->der();
    auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(der.data(), der.size()));
    if (copy == nullptr) break;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(der.size()));  // takes it
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

bool ServerContext::lists_ran_out() const {
  return settings_->client_trust != nullptr &&
         settings_->client_trust->lists_until() < std::chrono::system_clock::now();
}

int ServerContext::ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int sealing) {
  const ServerContext& own = *context_of(ssl);
  const TicketSealer& sealer = *own.tickets_;
  if (sealing != 0) return sealer.seal(name, iv, cipher, mac);
  if (own.lists_ran_out()) return 0;  // the chain is looked at, and says so
  const int opened = sealer.open(name, iv, cipher, mac);
  // In TLS 1.3 a ticket is used once, so each connection needs another one (RFC 8446 §C.4).
  return opened == 1 && SSL_version(ssl) == TLS1_3_VERSION ? 2 : opened;
}

}  // namespace doorward::tls
