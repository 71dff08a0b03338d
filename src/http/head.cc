// What a proxy strips before it sends a head on. The parser has already refused a Connection
// field that names something essential.
#include "http/head.h"

#include "http/field.h"

namespace doorward::http {

namespace {

constexpr HeaderNames kHopByHop = {HeaderName::connection,         HeaderName::keep_alive,
                                   HeaderName::proxy_connection,   HeaderName::te,
                                   HeaderName::transfer_encoding,  HeaderName::upgrade,
                                   HeaderName::http2_settings,     HeaderName::proxy_authenticate,
                                   HeaderName::proxy_authorization};

// Names nothing but what goes anyway.
bool is_usual(std::string_view connection) {
  return classify(connection) == HeaderName::keep_alive || equal_ignore_case(connection, "close");
}

}  // namespace

void remove_hop_by_hop(HeaderList& headers) {
  if (!headers.has_any(kHopByHop)) return;
  // The text that names fields stays valid: removing leaves the bytes where they are.
  for (const Header& connection : headers.values(HeaderName::connection)) {
    if (is_usual(connection.value)) continue;
    for (std::string_view name : ListElements(connection.value)) {
      if (!equal_ignore_case(name, "connection")) headers.remove(name);
    }
  }
  headers.remove_all(kHopByHop);
}

}  // namespace doorward::http
