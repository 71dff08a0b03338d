// ClientFacts: what is known of a client's connection before its first request.
// Owner: the ClientConnection; its exchanges read it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "codec/proxy_protocol/header.h"
#include "loop/socket.h"
#include "tls/certificate_set.h"
#include "tls/facts.h"

namespace doorward::exchange {

inline constexpr tls::ClientTls kNoTls;

struct ClientFacts {
  loop::Address peer;   // of the connection, or whom a PROXY header names in its place
  std::string peer_ip;  // as text
  const loop::Socket* socket = nullptr;
  const tls::HandshakeFacts* tls = nullptr;  // of its handshake with Doorward; null: cleartext
  // Where `strict_sni` is set: the certificates for the name that it asked for, so that it can be
  // told when it asks for another host on the same connection; else null.
  const tls::CertificateSet::Group* served = nullptr;
  // Its TLS for routes, templates and logs: of that handshake, else what a PROXY header tells.
  const tls::ClientTls& told() const { return secure == nullptr ? kNoTls : *secure; }
  std::unique_ptr<const tls::ClientTls> secure;  // null: nobody tells of any
  std::string_view scheme = "http";              // or "https", here or before the proxy
  // Among the LiveCredentials: its certificate and those of the CAs that vouch for it. Empty: it
  // showed none.
  std::vector<std::string> credentials;
  bool certificate_revoked = false;  // one of them, since the handshake
  // What a PROXY header told; null: nothing.
  std::unique_ptr<const codec::proxy_protocol::Header> proxied;

  // Where the client connected to. Asks the kernel.
  loop::Address local() const { return proxied ? proxied->destination : socket->local(); }
};

}  // namespace doorward::exchange
