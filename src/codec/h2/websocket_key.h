// The handshake key of a WebSocket over HTTP/1.1 (RFC 6455 §4.1, §4.2.2), which HTTP/2 does
// without: where one side speaks HTTP/1.1 and the other HTTP/2, the codec of HTTP/2 makes up what
// is missing. Pure functions. SHA-1 here is a check against mistakes, as the RFC says, not for
// security.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/arena.h"

namespace doorward::codec::h2 {

// Base64 of sixteen bytes: a fresh Sec-WebSocket-Key.
std::string_view websocket_key(std::uint64_t random_a, std::uint64_t random_b, Arena& arena);
// The Sec-WebSocket-Accept that answers `key`.
std::string_view websocket_accept(std::string_view key, Arena& arena);

}  // namespace doorward::codec::h2
