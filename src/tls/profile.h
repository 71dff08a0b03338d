// Which versions, ciphers and groups are spoken: Mozilla's "Server Side TLS" guidelines (5.7),
// profiles "modern" and "intermediate". Finite-field DHE is left out of the latter: it is slow, and
// a client can make a server compute at no cost of its own (CVE-2002-20001).
#pragma once

#include <openssl/types.h>
#include <string>
#include <vector>

#include "base/error.h"

namespace doorward::tls {

enum class Profile : std::uint8_t { modern, intermediate };

// Versions, ciphers, groups, and what holds for every context of ours: no renegotiation, no
// compression, buffers released when idle.
Result<void> apply_profile(SSL_CTX* context, Profile profile);

// "h2", "http/1.1" as RFC 7301 §3.1 writes them. Empty and over-long names are an error.
Result<std::string> alpn_wire(const std::vector<std::string>& protocols);

}  // namespace doorward::tls
