// What backends are told about the client (X-Forwarded-*, Forwarded: RFC 7239) and about the way
// (Via: RFC 9110 §7.6.3), and whom we believe the client is when proxies stand before us.
#pragma once

#include <span>
#include <string_view>

#include "base/arena.h"
#include "http/head.h"
#include "loop/address.h"
#include "text/cidr.h"

namespace doorward::handler {

// The client's address: the connection's peer, or, when that is a trusted proxy, the last address
// in X-Forwarded-For (or else Forwarded) that is not one. A malformed entry ends the search.
// What a trusted proxy says in the other form is removed: it may only have passed on a client's.
loop::Address find_client(const loop::Address& peer, http::HeaderList& headers,
                          std::span<const text::Cidr> trusted);

// "https" or "http" as the nearest trusted proxy says it, which wrote the last element of
// X-Forwarded-Proto, or else of Forwarded; else `ours`.
std::string_view find_scheme(const http::HeaderList& headers, std::string_view ours);

bool is_trusted(const loop::Address& address, std::span<const text::Cidr> trusted);

struct ForwardedFacts {
  std::string_view peer_ip;  // of the connection's peer, as loop::Address::host() writes it
  std::string_view host;     // as the client asked for it, with port
  std::string_view scheme;   // "http", "https"
  bool trusted = false;      // the peer is a trusted proxy: its headers are continued, not replaced
};

// What a peer that is not trusted says of earlier hops would be believed by the backend.
void drop_forwarded(http::HeaderList& headers);
// Continue what a trusted peer said, in whichever form, or begin anew. X-Forwarded-For has
// addresses only: a peer on a unix socket adds nothing to it. In `both`, add_x_forwarded comes
// first.
void add_x_forwarded(http::HeaderList& headers, const ForwardedFacts& facts, Arena& arena);
void add_forwarded(http::HeaderList& headers, const ForwardedFacts& facts, Arena& arena);
void add_via(http::HeaderList& headers, http::Version received, Arena& arena);

}  // namespace doorward::handler
