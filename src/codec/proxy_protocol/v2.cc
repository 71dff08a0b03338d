// Version 2: sixteen bytes, the addresses, and TLVs (type, length, value). Section numbers are
// those of proxy-protocol.txt.
#include "codec/proxy_protocol/v2.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <sys/un.h>

namespace doorward::codec::proxy_protocol {
namespace {

constexpr std::size_t kFixed = 16;
constexpr std::size_t kNameMax = 255;  // of a host or a protocol
constexpr std::size_t kVersionMax = 32;

// §2.2: version and command; family and transport.
constexpr std::uint8_t kLocal = 0x20;
constexpr std::uint8_t kProxy = 0x21;
constexpr std::uint8_t kUnspecified = 0x00;
constexpr std::uint8_t kTcp4 = 0x11;
constexpr std::uint8_t kTcp6 = 0x21;
constexpr std::uint8_t kUnixStream = 0x31;
constexpr std::size_t kUnixPath = 108;

// §2.2.1 to §2.2.7
constexpr std::uint8_t kAlpn = 0x01;
constexpr std::uint8_t kAuthority = 0x02;
constexpr std::uint8_t kCrc32c = 0x03;
constexpr std::uint8_t kSsl = 0x20;
constexpr std::uint8_t kSslVersion = 0x21;
constexpr std::uint8_t kClientSsl = 0x01;
constexpr std::size_t kSslFixed = 5;  // which kinds of proof, and how they were verified

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// RFC 3720 §B.4: the polynomial of iSCSI.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
  }
  return ~crc;
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

// Bytes that the addresses of a family take; nothing for a family that no stream has.
std::optional<std::size_t> address_size(std::uint8_t family) {
  switch (family) {
    case kUnspecified:
      return 0;
    case kTcp4:
      return 12;
    case kTcp6:
      return 36;
    case kUnixStream:
      return 2 * kUnixPath;
    default:
      return std::nullopt;
  }
}

loop::Address inet_address(std::string_view host, std::uint16_t port) {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(port);
  std::memcpy(&raw.sin_addr, host.data(), sizeof raw.sin_addr);
  return loop::Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
}

loop::Address inet6_address(std::string_view host, std::uint16_t port) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(port);
  std::memcpy(&raw.sin6_addr, host.data(), sizeof raw.sin6_addr);
  return loop::Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
}

// Nothing when its path could not stand in a log or a header. Abstract ones have no name here.
std::optional<loop::Address> unix_address(std::string_view path) {
  path = path.substr(0, path.find('\0'));
  if (std::ranges::any_of(path, is_control)) return std::nullopt;
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  std::memcpy(raw.sun_path, path.data(), path.size());
  const std::size_t size = offsetof(sockaddr_un, sun_path) + path.size();
  return loop::Address::from_raw(reinterpret_cast<const sockaddr*>(&raw),
                                 static_cast<socklen_t>(size));
}

bool read_addresses(std::uint8_t family, std::string_view bytes, Header& header) {
  if (family == kTcp4) {
    header.source = inet_address(bytes.substr(0, 4), number_at(bytes, 8));
    header.destination = inet_address(bytes.substr(4, 4), number_at(bytes, 10));
  } else if (family == kTcp6) {
    header.source = inet6_address(bytes.substr(0, 16), number_at(bytes, 32));
    header.destination = inet6_address(bytes.substr(16, 16), number_at(bytes, 34));
  } else if (family == kUnixStream) {
    const auto source = unix_address(bytes.substr(0, kUnixPath));
    const auto destination = unix_address(bytes.substr(kUnixPath, kUnixPath));
    if (!source || !destination) return false;
    header.source = *source;
    header.destination = *destination;
  } else {
    header.local = true;
  }
  return true;
}

struct Tlv {
  std::uint8_t type = 0;
  std::string_view value;
};

// Nothing when it is longer than what is left.
std::optional<Tlv> take_tlv(std::string_view& rest) {
  if (rest.size() < 3) return std::nullopt;
  const std::size_t size = number_at(rest, 1);
  if (size > rest.size() - 3) return std::nullopt;
  const Tlv tlv{byte_at(rest, 0), rest.substr(3, size)};
  rest.remove_prefix(3 + size);
  return tlv;
}

// Each gives what is wrong, or nothing.
std::string_view read_ssl(std::string_view value, Header& header) {
  if (value.size() < kSslFixed) return "the header's TLV about TLS is too short";
  header.tls = (byte_at(value, 0) & kClientSsl) != 0;
  std::string_view rest = value.substr(kSslFixed);
  while (!rest.empty()) {
    const std::optional<Tlv> tlv = take_tlv(rest);
    if (!tlv) return "a TLV about TLS is longer than the one that holds it";
    if (tlv->type != kSslVersion) continue;
    if (tlv->value.size() > kVersionMax || !is_visible(tlv->value)) {
      return "the header's version of TLS is no name";
    }
    header.tls_version = tlv->value;
  }
  return {};
}

// §2.2.3: of the whole header, with these four bytes as zero.
std::string_view check_crc(std::string_view whole, std::string_view value) {
  if (value.size() != 4) return "the header's checksum has not four bytes";
  std::string zeroed(whole);
  zeroed.replace(static_cast<std::size_t>(value.data() - whole.data()), 4, 4, '\0');
  const std::uint32_t sent =
      static_cast<std::uint32_t>(number_at(value, 0)) << 16 | number_at(value, 2);
  return crc32c(zeroed) == sent ? std::string_view() : "the header's checksum is wrong";
}

std::string_view read_tlv(std::string_view whole, const Tlv& tlv, Header& header) {
  switch (tlv.type) {
    case kAlpn:
      if (tlv.value.size() > kNameMax) return "the header's protocol (ALPN) is too long";
      header.alpn = tlv.value;
      return {};
    case kAuthority:
      if (tlv.value.size() > kNameMax || !is_visible(tlv.value)) {
        return "the header's authority is no host name";
      }
      header.authority = tlv.value;
      return {};
    case kCrc32c:
      return check_crc(whole, tlv.value);
    case kSsl:
      return read_ssl(tlv.value, header);
    default:  // §2.2: unknown ones are skipped, as NOOP is
      return {};
  }
}

Parsed read_rest(std::string_view whole, std::uint8_t family, std::size_t addresses) {
  Parsed parsed{Progress::done, whole.size(), {}, {}};
  if (!read_addresses(family, whole.substr(kFixed, addresses), parsed.header)) {
    return refused("a unix socket's path of the header has control characters");
  }
  std::string_view rest = whole.substr(kFixed + addresses);
  while (!rest.empty()) {
    const std::optional<Tlv> tlv = take_tlv(rest);
    if (!tlv) return refused("a TLV is longer than the header");
    const std::string_view wrong = read_tlv(whole, *tlv, parsed.header);
    if (!wrong.empty()) return refused(wrong);
  }
  return parsed;
}

void put(std::string& out, std::uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xFF);
}

void put_tlv(std::string& out, std::uint8_t type, std::string_view value) {
  if (value.empty() || value.size() > kNameMax) return;
  out += static_cast<char>(type);
  put(out, static_cast<std::uint16_t>(value.size()));
  out += value;
}

std::string ssl_value(const Header& header) {
  std::string value(1, static_cast<char>(kClientSsl));
  value.append("\0\0\0\1", 4);  // §2.2.6: not zero, since no certificate is told of
  put_tlv(value, kSslVersion, header.tls_version);
  return value;
}

std::string_view bytes_of(const void* at, std::size_t size) {
  return {static_cast<const char*>(at), size};
}

// Gives the family, and appends both addresses.
std::uint8_t put_addresses(std::string& out, const Header& header) {
  const int family = header.source.family();
  if (header.destination.family() != family) return kUnspecified;
  if (family == AF_INET) {
    for (const loop::Address* address : {&header.source, &header.destination}) {
      out += bytes_of(&reinterpret_cast<const sockaddr_in*>(address->raw())->sin_addr, 4);
    }
  } else if (family == AF_INET6) {
    for (const loop::Address* address : {&header.source, &header.destination}) {
      out += bytes_of(&reinterpret_cast<const sockaddr_in6*>(address->raw())->sin6_addr, 16);
    }
  } else {
    return kUnspecified;
  }
  put(out, header.source.port());
  put(out, header.destination.port());
  return family == AF_INET ? kTcp4 : kTcp6;
}

}  // namespace

Parsed parse_v2(std::string_view received) {
  if (received.size() < kFixed) {
    // What is wrong already need not be waited for.
    const bool begun = received.size() > kSignature.size();
    if (begun && byte_at(received, kSignature.size()) >> 4 != 2) {
      return refused("the header's version is neither 1 nor 2");
    }
    return {};
  }
  const std::uint8_t command = byte_at(received, 12);
  const std::uint8_t family = byte_at(received, 13);
  const std::size_t size = kFixed + number_at(received, 14);
  if (command >> 4 != 2) return refused("the header's version is neither 1 nor 2");
  if (command != kLocal && command != kProxy) return refused("the header's command is unknown");
  if (size > kHeaderMax) return refused("the header is longer than 4096 bytes");
  const std::optional<std::size_t> addresses = address_size(family);
  if (command == kProxy && !addresses) return refused("the header's family is of no stream");
  if (command == kProxy && size < kFixed + *addresses) {
    return refused("the header is shorter than its addresses");
  }
  if (received.size() < size) return {};
  if (command == kProxy) return read_rest(received.substr(0, size), family, *addresses);
  Parsed parsed{Progress::done, size, {}, {}};
  parsed.header.local = true;  // §2.2: the receiver must ignore the rest
  return parsed;
}

std::string write_v2(const Header& header) {
  std::string rest;
  std::uint8_t family = kUnspecified;
  if (!header.local) {
    family = put_addresses(rest, header);
    put_tlv(rest, kAuthority, header.authority);
    put_tlv(rest, kAlpn, header.alpn);
    if (header.tls) put_tlv(rest, kSsl, ssl_value(header));
  }
  std::string out(kSignature);
  out += static_cast<char>(header.local ? kLocal : kProxy);
  out += static_cast<char>(family);
  put(out, static_cast<std::uint16_t>(rest.size()));
  return out + rest;
}

}  // namespace doorward::codec::proxy_protocol
