#include "tls/facts.h"

#include <fmt/format.h>
#include <iterator>
#include <openssl/ssl.h>

#include "tls/openssl.h"
#include "tls/reasons.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

// What could end a name in the eyes of who takes the list apart.
constexpr std::string_view kSeparating = ",; \"\\";

}  // namespace

std::expected<HandshakeFacts, std::string_view> read_facts(SSL* ssl, WallTime now) {
  HandshakeFacts facts;
  facts.version = SSL_get_version(ssl);
  facts.cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl));
  const unsigned char* alpn = nullptr;
  unsigned int alpn_size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
  facts.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
    facts.sni = lower_case(name);
  }
  facts.resumed = SSL_session_reused(ssl) == 1;
  const Owned<X509> certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return facts;
  facts.peer_certificate =
      std::make_shared<const PeerCertificate>(peer_certificate(certificate.get()));
  // Without verification (a backend's, switched off) nobody asks for dates either.
  const bool verified = (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0;
  if (verified && facts.resumed && facts.peer_certificate->not_after < now) {
    return std::unexpected(reason::kCertificateExpired);
  }
  return facts;
}

std::string listed(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (kSeparating.contains(c)) {
      fmt::format_to(std::back_inserter(text), "%{:02X}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text;
}

std::string_view ClientTls::names(Arena& arena) const {
  std::string_view all;
  if (certificate == nullptr) return all;
  for (const std::string& name : certificate->names) {
    const bool plain = name.find_first_of(kSeparating) == std::string::npos;
    const std::string_view text = plain ? std::string_view(name) : arena.copy(listed(name));
    all = all.empty() ? text : arena.join(all, ", ", text);
  }
  return all;
}

PeerCertificate peer_certificate(X509* certificate) {
  return {.subject = name_text(X509_get_subject_name(certificate)),
          .issuer = name_text(X509_get_issuer_name(certificate)),
          .names = alternative_names(certificate),
          .serial = serial_of(certificate),
          .fingerprint = fingerprint_of(certificate),
          .not_after = time_of(X509_get0_notAfter(certificate))};
}

}  // namespace doorward::tls
