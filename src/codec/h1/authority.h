// host[:port] as requests carry it (RFC 9110 §7.2, RFC 3986 §3.2), in the strict form that every
// program reads alike: no user information, no percent-encoding, no empty port.
#pragma once

#include <string_view>

namespace doorward::codec::h1 {

// A name of unreserved characters without empty labels (one final dot may be), an IPv4 address or
// a bracketed IPv6 address without zone; then perhaps ":" and a port from 1 to 65535.
bool is_authority(std::string_view text);

// Do both valid authorities mean the same, ignoring case and `default_port` ("80")?
bool same_authority(std::string_view a, std::string_view b, std::string_view default_port);

}  // namespace doorward::codec::h1
