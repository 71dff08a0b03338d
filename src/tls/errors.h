// From OpenSSL's error queue to an Error: a reason of reasons.h, whose fault it is, and a clause
// that says what the peer did ("the client has no TLS version in common with Doorward: …").
#pragma once

#include <openssl/types.h>

#include "base/error.h"

namespace doorward::tls {

// "the client" or "the backend".
std::string_view words_for(Side peer);

// An error of `word`, the peer's fault; `detail` may be empty.
Error peer_error(ErrorKind kind, Side peer, std::string_view word, std::string_view detail = {});

// What made the last call on `ssl` fail. Empties this thread's error queue.
Error ssl_error(SSL* ssl, Side peer);

// For what is done with files and settings: "certs/a.pem: cannot read the key: …", with OpenSSL's
// own words behind. Empties this thread's error queue.
Failure openssl_failure(std::string_view what);

}  // namespace doorward::tls
