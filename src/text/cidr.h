// Cidr: a block of IP addresses, "10.0.0.0/8", "2001:db8::/32" or one address. All addresses are
// the 16 bytes of IPv6 (IPv4 mapped: ::ffff:a.b.c.d), as loop::Address::ip_bytes gives them. "unix"
// is what ip_bytes gives for unix sockets: all ones, in no other block but "::/0", which is
// everybody.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::text {

using IpBytes = std::array<std::uint8_t, 16>;

// "10.0.0.1" or "::1", without port and brackets.
Result<IpBytes> parse_ip(std::string_view text);

struct Cidr {
  IpBytes address{};        // bits below the prefix are zero
  std::uint8_t bits = 128;  // length of the prefix in the 128 bits

  // "10.0.0.0/8", "::1", "unix". Refuses bits set below the prefix ("10.0.0.1/8"): it is mostly a
  // slip of the pen.
  static Result<Cidr> parse(std::string_view text);
  static Cidr unix_sockets();

  bool contains(const std::uint8_t (&ip)[16]) const;
  bool contains(const IpBytes& ip) const;
  bool contains(const Cidr& other) const;
  bool operator==(const Cidr&) const = default;
};

}  // namespace doorward::text
