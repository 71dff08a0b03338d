// RequestHead and ResponseHead: what is said before the content, without regard to the protocol
// version that carried it. Owner: the exchange; all views point into bytes that it owns.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/header_list.h"
#include "http/method.h"

namespace doorward::http {

struct RequestHead {
  explicit RequestHead(Arena& arena) : headers(arena) {}

  Method method = Method::get;
  Version version = Version::http11;
  std::string_view method_text;
  std::string_view target;  // as received: origin form, absolute form or "*"
  HeaderList headers;
};

struct ResponseHead {
  explicit ResponseHead(Arena& arena) : headers(arena) {}

  std::uint16_t status = 0;
  Version version = Version::http11;
  std::string_view reason;
  HeaderList headers;
};

// Removes what belongs to one connection only (RFC 9110 §7.6.1): the fields that Connection names,
// Connection itself, Keep-Alive, Proxy-Connection, TE, Transfer-Encoding, Upgrade, HTTP2-Settings
// and the proxy's own credentials. Content-Length stays. An upgrade that goes on is added again
// by whoever forwards it.
void remove_hop_by_hop(HeaderList& headers);

}  // namespace doorward::http
