#include "tls/client_context.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tls/errors.h"

namespace doorward::tls {
namespace {

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

void free_slot(void*, void* slot, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::shared_ptr<SessionSlot>*>(slot);
}

// Where an SSL keeps its share of the slot, as it may outlive the endpoint.
int slot_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_slot);
  return index;
}

// RFC 8446 §4.6.1: a ticket may come at any time after the handshake.
int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* slot = static_cast<std::shared_ptr<SessionSlot>*>(SSL_get_ex_data(ssl, slot_index()));
  if (slot == nullptr) return 0;
  (*slot)->put(session);
  return 1;
}

}  // namespace

SessionSlot::SessionSlot() = default;
SessionSlot::~SessionSlot() = default;
void SessionSlot::put(ssl_session_st* session) { session_.reset(session); }

Result<std::shared_ptr<const ClientContext>> ClientContext::make(
    std::shared_ptr<const ClientSettings> settings) {
  std::shared_ptr<ClientContext> made(new ClientContext(std::move(settings)));
  if (auto done = made->set_up(); !done) return Failure(std::move(done.error()));
  return made;
}

Result<void> ClientContext::set_up() {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (context_ == nullptr) return openssl_failure("TLS context");
  SSL_CTX* context = context_.get();
  if (auto done = apply_profile(context, settings_->profile); !done) return done;
  auto wire = alpn_wire(settings_->alpn);
  if (!wire) return Failure(std::move(wire.error()));
  alpn_ = std::move(*wire);
  if (settings_->verify && settings_->trust == nullptr) {
    return fail(ErrorKind::invalid,
                "a backend's certificate is to be verified, but no CA is "
                "trusted");
  }
  SSL_CTX_set_verify(context, settings_->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_verify_depth(context, settings_->verify_depth);
  if (settings_->trust != nullptr) SSL_CTX_set1_cert_store(context, settings_->trust->store());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  if (const Certificate* own = settings_->certificate.get(); own != nullptr) {
    if (SSL_CTX_use_cert_and_key(context, own->leaf(), own->key(), own->chain(), 1) != 1) {
      return openssl_failure(own->file() + ": cannot be used as client certificate");
    }
  }
  return {};
}

// RFC 9525 §2 and §6: names of the SAN only, no CN; a wildcard is a whole label.
bool ClientContext::expect_name(SSL* ssl, const std::string& name) const {
  if (is_address(name)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  }
  SSL_set_hostflags(ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set1_host(ssl, name.c_str()) == 1;
}

bool ClientContext::offer(SSL* ssl, std::string_view only) const {
  std::string one;
  if (!only.empty()) {
    auto wire = alpn_wire({std::string(only)});
    if (!wire) return false;
    one = std::move(*wire);
  }
  const std::string& wire = only.empty() ? alpn_ : one;
  if (wire.empty()) return true;
  return SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()),
                             static_cast<unsigned int>(wire.size())) == 0;
}

Result<Owned<SSL>> ClientContext::make_ssl(const Target& target) const {
  Owned<SSL> ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return openssl_failure("TLS connection");
  const std::string& sni = settings_->sni.empty() ? target.host : settings_->sni;
  const std::string& name = settings_->pinned_name.empty() ? target.host : settings_->pinned_name;
  // RFC 6066 §3: no addresses.
  bool done =
      sni.empty() || is_address(sni) || SSL_set_tlsext_host_name(ssl.get(), sni.c_str()) == 1;
  if (settings_->verify) done = done && !name.empty() && expect_name(ssl.get(), name);
  done = done && offer(ssl.get(), target.only_protocol);
  if (!done) return openssl_failure(fmt::format("TLS to \"{}\": a name that cannot be used", name));
  if (target.session != nullptr) {
    SSL_set_ex_data(ssl.get(), slot_index(), new std::shared_ptr<SessionSlot>(target.session));
    if (target.session->get() != nullptr) SSL_set_session(ssl.get(), target.session->get());
  }
  return ssl;
}

}  // namespace doorward::tls
