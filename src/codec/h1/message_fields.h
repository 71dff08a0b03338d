// The fields that decide about framing and the connection, read alike for requests and responses
// (RFC 9112 §6, §7.6, §9; RFC 9110 §7.6.1, §8.6). Pure functions over a HeaderList.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/h1/framing.h"
#include "codec/h1/refusal.h"
#include "http/head.h"

namespace doorward::codec::h1 {

// What Content-Length and Transfer-Encoding say, before rules about methods and statuses.
struct BodyFields {
  bool has_length = false;
  bool chunked = false;
  std::uint64_t length = 0;
};
Refusal read_body_fields(const http::HeaderList& headers, http::Version version, BodyFields& out);

struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};
Refusal read_connection(const http::HeaderList& headers, ConnectionOptions& out);

// RFC 9112 §9.3.
bool persists(http::Version version, const ConnectionOptions& options);

// What becomes of a trailer: only what is known to be harmless behind the content goes on, and what
// would change how the message is read is refused (RFC 9110 §6.5.1).
enum class TrailerRule : std::uint8_t { pass, drop, refuse };
TrailerRule trailer_rule(http::HeaderName name);

// Is `value` a list of protocols, "websocket" or "h2c, foo/2" (RFC 9110 §7.8)?
bool is_protocol_list(std::string_view value);

}  // namespace doorward::codec::h1
