// Fields of an X509 certificate as values of ours.
#pragma once

#include <openssl/types.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace doorward::tls {

std::string lower_case(std::string_view text);
std::string name_text(const X509_NAME* name);      // RFC 4514
std::string common_name(const X509* certificate);  // "" when there is none
// All of the SAN that is text: "DNS:…" and "EMAIL:…" as they are, "IP:…", "URI:…".
std::vector<std::string> alternative_names(const X509* certificate);
std::string serial_text(const ASN1_INTEGER* serial);  // upper-case hex
std::string serial_of(const X509* certificate);
std::string fingerprint_of(const X509* certificate);
WallTime time_of(const ASN1_TIME* time);  // the epoch when it cannot be read

}  // namespace doorward::tls
