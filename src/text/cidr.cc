#include "text/cidr.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace doorward::text {
namespace {

constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool has_prefix(const std::uint8_t* ip, const std::uint8_t* prefix, unsigned bits) {
  if (std::memcmp(ip, prefix, bits / 8) != 0) return false;
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xffu << (8 - bits % 8) & 0xff;
  return (ip[bits / 8] & mask) == (prefix[bits / 8] & mask);
}

IpBytes masked(const IpBytes& ip, unsigned bits) {
  IpBytes out{};
  std::memcpy(out.data(), ip.data(), bits / 8);
  if (bits % 8 != 0) {
    out[bits / 8] = static_cast<std::uint8_t>(ip[bits / 8] & (0xffu << (8 - bits % 8)));
  }
  return out;
}

}  // namespace

Result<IpBytes> parse_ip(std::string_view text) {
  IpBytes ip{};
  const std::string copy(text);
  if (::inet_pton(AF_INET6, copy.c_str(), ip.data()) == 1) return ip;
  if (::inet_pton(AF_INET, copy.c_str(), ip.data() + 12) == 1) {
    std::memcpy(ip.data(), kMappedPrefix, sizeof kMappedPrefix);
    return ip;
  }
  return fail(ErrorKind::invalid, fmt::format("\"{}\" is no IP address", text));
}

Cidr Cidr::unix_sockets() {
  Cidr all;
  all.address.fill(0xff);
  return all;
}

Result<Cidr> Cidr::parse(std::string_view text) {
  if (text == "unix") return unix_sockets();
  const std::size_t slash = text.find('/');
  auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::unexpected(ip.error());
  if (slash == std::string_view::npos) return Cidr{*ip, 128};

  const bool v4 = !text.contains(':');
  const unsigned most = v4 ? 32 : 128;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (problem != std::errc() || end != digits.data() + digits.size() || bits > most) {
    return fail(ErrorKind::invalid,
                fmt::format("\"{}\": the prefix length must be 0 to {}", text, most));
  }
  if (v4) bits += 96;
  const IpBytes network = masked(*ip, bits);
  if (network != *ip) {
    return fail(ErrorKind::invalid,
                fmt::format("\"{}\" has address bits set below its prefix length", text));
  }
  return Cidr{network, static_cast<std::uint8_t>(bits)};
}

bool Cidr::contains(const std::uint8_t (&ip)[16]) const {
  return has_prefix(ip, address.data(), bits);
}
bool Cidr::contains(const IpBytes& ip) const { return has_prefix(ip.data(), address.data(), bits); }
bool Cidr::contains(const Cidr& other) const {
  return other.bits >= bits && contains(other.address);
}

}  // namespace doorward::text
