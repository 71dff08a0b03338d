#include "tls/facts.h"

#include <fmt/format.h>
#include <iterator>
#include <openssl/ssl.h>
#include <ranges>

#include "tls/openssl.h"
#include "tls/reasons.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

// What could end a name in the eyes of who takes the list apart.
constexpr std::string_view kSeparating = ",; \"\\";

// The ids of the chain that was verified, without the peer's own; a line each.
std::string verified_authorities(SSL* ssl) {
  std::string lines;
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    if (i > 1) lines += '\n';
    lines += peer_certificate(sk_X509_value(chain, i)).id();
  }
  return lines;
}

std::string kept_authorities(SSL* ssl) {
  void* data = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &data, &size);
  return {static_cast<const char*>(data), size};
}

std::vector<std::string> authorities_of(SSL* ssl) {
  const std::string lines =
      SSL_session_reused(ssl) == 1 ? kept_authorities(ssl) : verified_authorities(ssl);
  std::vector<std::string> ids;
  for (const auto line : std::views::split(lines, '\n')) ids.emplace_back(line.begin(), line.end());
  return ids;
}

}  // namespace

void keep_authorities(SSL* ssl) {
  if (SSL_session_reused(ssl) == 1) return;  // its session has them
  const std::string lines = verified_authorities(ssl);
  if (lines.empty()) return;
  SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), lines.data(), lines.size());
}

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
  PeerCertificate peer = peer_certificate(certificate.get());
  if (SSL_is_server(ssl) == 1) peer.authorities = authorities_of(ssl);
  facts.peer_certificate = std::make_shared<const PeerCertificate>(std::move(peer));
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
          .not_after = time_of(X509_get0_notAfter(certificate)),
          .authorities = {}};
}

}  // namespace doorward::tls
