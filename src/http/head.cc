// What a proxy strips before it sends a head on. The parser has already refused a Connection
// field that names something essential.
#include "http/head.h"

#include "http/field.h"

namespace doorward::http {

void remove_hop_by_hop(HeaderList& headers) {
  // The text that names fields stays valid: removing leaves the bytes where they are.
  for (const Header& connection : headers.values(HeaderName::connection)) {
    for (std::string_view name : ListElements(connection.value)) {
      if (!equal_ignore_case(name, "connection")) headers.remove(name);
    }
  }
  for (HeaderName name :
       {HeaderName::connection, HeaderName::keep_alive, HeaderName::proxy_connection,
        HeaderName::te, HeaderName::transfer_encoding, HeaderName::upgrade,
        HeaderName::http2_settings, HeaderName::proxy_authenticate,
        HeaderName::proxy_authorization}) {
    headers.remove(name);
  }
}

}  // namespace doorward::http
