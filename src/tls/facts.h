// What a handshake found out, as values: what was negotiated, and the peer's verified certificate.
#pragma once

#include <expected>
#include <memory>
#include <openssl/types.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"

namespace doorward::tls {

// A certificate that the peer has sent and whose chain was verified.
struct PeerCertificate {
  std::string subject;  // RFC 4514: "CN=app-1,O=Example"
  std::string issuer;
  std::vector<std::string> names;  // of its SAN, with kind: "DNS:a.example", "URI:spiffe://…"
  std::string serial;              // upper-case hex
  std::string fingerprint;         // SHA-256 of the certificate, lower-case hex
  WallTime not_after{};
  // The CAs that vouch for it, from its issuer up: their ids.
  std::vector<std::string> authorities;

  // Who it is to its issuer, as Trust::revoked_since says it.
  std::string id() const { return serial + " " + issuer; }
};

struct HandshakeFacts {
  std::string_view version;  // "TLSv1.3"; static text
  std::string_view cipher;   // OpenSSL's name; static text
  std::string alpn;          // empty: none was negotiated
  std::string sni;           // what the client asked for, in lower case; empty: nothing
  bool resumed = false;
  std::shared_ptr<const PeerCertificate> peer_certificate;  // null: it sent none
};

// A client's TLS as routes, templates and logs see it: of its handshake with Doorward, or what a
// trusted proxy that ended it tells (which is less: no cipher, no certificate). Views into whoever
// knows it, for as long as the client's connection.
struct ClientTls {
  std::string_view version;
  std::string_view cipher;
  std::string_view alpn;
  std::string_view sni;
  const PeerCertificate* certificate = nullptr;  // null: none

  ClientTls() = default;
  explicit ClientTls(const HandshakeFacts& facts)
      : version(facts.version),
        cipher(facts.cipher),
        alpn(facts.alpn),
        sni(facts.sni),
        certificate(facts.peer_certificate.get()) {}

  // Of the certificate; empty without one.
  std::string_view subject() const {
    return certificate == nullptr ? std::string_view() : certificate->subject;
  }
  std::string_view fingerprint() const {
    return certificate == nullptr ? std::string_view() : certificate->fingerprint;
  }
  // One behind the other: "DNS:a, DNS:b", each as listed() has it.
  std::string_view names(Arena& arena) const;
};

// Of a finished handshake; else a reason: a certificate that a resumed session has kept may have
// expired since.
std::expected<HandshakeFacts, std::string_view> read_facts(SSL* ssl, WallTime now);

PeerCertificate peer_certificate(X509* certificate);

// To be called when a session is sealed: a resumed one verifies no chain, so that its session says
// who vouched for the peer.
void keep_authorities(SSL* ssl);

// A name of a certificate as an item of a list: commas, semicolons, blanks, quotes and backslashes
// are percent-encoded, so that none passes for two.
std::string listed(std::string_view name);

}  // namespace doorward::tls
