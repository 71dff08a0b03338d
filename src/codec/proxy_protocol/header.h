// The PROXY protocol, version 1 (text) and 2 (binary), as HAProxy's doc/proxy-protocol.txt says it:
// what a proxy tells of a connection before the connection's own bytes. Pure functions on bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "loop/address.h"

namespace doorward::codec::proxy_protocol {

struct Header {
  // The proxy speaks for itself (LOCAL, UNKNOWN): the addresses say nothing.
  bool local = false;
  loop::Address source;       // the client
  loop::Address destination;  // where it connected to
  // TLVs of version 2; empty where there is none.
  std::string authority;    // SNI (PP2_TYPE_AUTHORITY)
  std::string alpn;         // PP2_TYPE_ALPN
  bool tls = false;         // the client spoke TLS to the proxy (PP2_CLIENT_SSL)
  std::string tls_version;  // "TLSv1.3" (PP2_SUBTYPE_SSL_VERSION)
};

// A header is never longer than this; a sender must send it at once (version 1: 107 bytes).
inline constexpr std::size_t kHeaderMax = 4096;

enum class Progress { need_more, done, refused };

struct Parsed {
  Progress progress = Progress::need_more;
  std::size_t size = 0;  // done: bytes of the header; what follows is the connection's
  Header header;         // done
  std::string_view why;  // refused: a sentence for people, static text
};

// `received`: the connection's bytes from its first on. Needs no more of them than it must.
Parsed parse(std::string_view received);

// Addresses of different families, or of unix sockets, are written as UNKNOWN.
std::string write_v1(const Header& header);
std::string write_v2(const Header& header);

}  // namespace doorward::codec::proxy_protocol
