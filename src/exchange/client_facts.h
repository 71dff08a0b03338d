// ClientFacts: what is known of a client's connection before its first request.
// Owner: the ClientConnection; its exchanges read it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "loop/socket.h"
#include "tls/facts.h"

namespace doorward::exchange {

struct ClientFacts {
  loop::Address peer;   // of the connection, or whom a PROXY header names in its place
  std::string peer_ip;  // as text
  const loop::Socket* socket = nullptr;
  std::unique_ptr<const loop::Address> destination;  // that a PROXY header names
  const tls::HandshakeFacts* tls = nullptr;          // null: cleartext
  tls::ClientTls told;                               // … or what a PROXY header tells of TLS
  std::string_view scheme = "http";                  // or "https"

  // Where the client connected to. Asks the kernel.
  loop::Address local() const { return destination ? *destination : socket->local(); }
};

}  // namespace doorward::exchange
