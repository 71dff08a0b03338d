#include "loop/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>

namespace doorward::loop {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);

Failure bad(std::string_view text, std::string_view why) {
  return fail(ErrorKind::invalid, fmt::format("\"{}\" is no address: {}", text, why));
}

Result<Address> parse_unix(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  if (path.empty()) return bad(text, "the path of the unix socket is missing");
  if (path.size() >= sizeof raw.sun_path) {
    return bad(text,
               fmt::format("a unix socket's path has at most {} bytes", sizeof raw.sun_path - 1));
  }
  path.copy(raw.sun_path, path.size());
  return Address::from_raw(reinterpret_cast<const sockaddr*>(&raw),
                           static_cast<socklen_t>(kPathOffset + path.size() + 1));
}

Result<Address> parse_ip(std::string_view text, std::string_view host, std::uint16_t port) {
  const std::string terminated(host);
  sockaddr_in v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return Address::from_raw(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  if (host.empty() || inet_pton(AF_INET6, terminated.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return Address::from_raw(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  return bad(text, "the host is no IP address");
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "the port is missing (host:port)");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || code != std::errc() || end != digits.data() + digits.size()) {
    return bad(text, "the port must be a number from 0 to 65535");
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (bracketed && !has_colon) return bad(text, "only IPv6 addresses stand in brackets");
  if (!bracketed && has_colon) return bad(text, "an IPv6 address needs brackets: [::1]:80");
  return parse_ip(text, host, port);
}

Address Address::from_raw(const sockaddr* address, socklen_t size) {
  Address result;
  result.size_ = std::min<socklen_t>(size, sizeof result.storage_);
  if (result.size_ > 0) std::memcpy(&result.storage_, address, result.size_);
  if (result.family() == AF_INET6) [[unlikely]]
    result.unmap();
  return result;
}

void Address::unmap() {
  sockaddr_in6 v6{};
  std::memcpy(&v6, &storage_, sizeof v6);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof v4.sin_addr);
  storage_ = {};
  std::memcpy(&storage_, &v4, sizeof v4);
  size_ = sizeof v4;
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(raw())->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(raw())->sin6_port);
  return 0;
}

void Address::set_port(std::uint16_t port) {
  if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6*>(&storage_)->sin6_port = htons(port);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(raw())->sin_addr, text, sizeof text);
  } else if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(raw())->sin6_addr, text,
              sizeof text);
  } else if (is_unix()) {
    const std::size_t room = size_ > kPathOffset ? size_ - kPathOffset : 0;
    const std::size_t length = strnlen(storage_.rest, room);
    if (length == 0) return "unix";
    return std::string(kUnixPrefix).append(storage_.rest, length);
  }
  return text;
}

std::string Address::text() const {
  if (family() == AF_INET) return fmt::format("{}:{}", host(), port());
  if (family() == AF_INET6) return fmt::format("[{}]:{}", host(), port());
  return host();
}

void Address::ip_bytes(std::uint8_t (&to)[16]) const {
  std::memset(to, is_unix() ? 0xff : 0, sizeof to);
  if (family() == AF_INET6) {
    std::memcpy(to, &reinterpret_cast<const sockaddr_in6*>(raw())->sin6_addr, sizeof to);
  } else if (family() == AF_INET) {
    to[10] = to[11] = 0xff;
    std::memcpy(to + 12, &reinterpret_cast<const sockaddr_in*>(raw())->sin_addr, 4);
  }
}

bool Address::operator==(const Address& other) const {
  return size_ == other.size_ && std::memcmp(&storage_, &other.storage_, size_) == 0;
}

}  // namespace doorward::loop
