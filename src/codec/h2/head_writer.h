// Heads and trailers as nghttp2 wants them: name-value pairs in the exchange's arena that point at
// the head's own text, in lower case (RFC 9113 §8.2), without what belongs to one connection of
// HTTP/1.1 (§8.2.2), pseudo-headers first. Pure functions.
#pragma once

#include <nghttp2/nghttp2.h>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "codec/stream.h"
#include "http/head.h"

namespace doorward::codec::h2 {

using Pairs = std::span<const nghttp2_nv>;

struct RequestLine {
  std::string_view target;  // :path
  std::string_view scheme;  // "http", "https"
  bool websocket = false;   // an upgrade, to be sent as extended CONNECT (RFC 8441)
};
// Host becomes :authority. Content-Length follows from `size`, as the codec of HTTP/1.1 has it.
Pairs write_request(const http::RequestHead& head, const RequestLine& line, BodySize size,
                    Arena& arena);

enum class Length : std::uint8_t { as_is, none, known };
// `status`: what :status says (200 for a 101).
Pairs write_response(const http::ResponseHead& head, std::uint16_t status, Length length,
                     std::uint64_t size, Arena& arena);
Pairs write_trailers(const http::HeaderList& trailers, Arena& arena);

}  // namespace doorward::codec::h2
