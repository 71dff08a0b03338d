// Revocation of client certificates: which certificates of a chain must not be in the lists, and
// what is told of the one that is, or for which there is no list.
//
// Every certificate that somebody below a trusted one has shown needs a list of its issuer, as with
// nginx, HAProxy and Envoy. The last of the chain is trusted for what `ca` says and needs none
// (RFC 5280 §6.1 judges no trust anchor); a list that names it counts all the same.
#pragma once

#include <openssl/types.h>
#include <string>

namespace doorward::tls {

class Trust;

// `trust` outlives the store's use.
void check_revocation(X509_STORE* store, const Trust& trust);

// Which certificate of the handshake's chain is revoked, or whose list is missing; for people. May
// be empty.
std::string revocation_detail(SSL* ssl);

}  // namespace doorward::tls
