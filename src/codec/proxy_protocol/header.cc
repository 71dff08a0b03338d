// Version 1 (text), and which version it is.
#include "codec/proxy_protocol/header.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <netinet/in.h>
#include <optional>

#include "codec/proxy_protocol/v2.h"

namespace doorward::codec::proxy_protocol {
namespace {

constexpr std::string_view kPrefix = "PROXY ";
constexpr std::size_t kLineMax = 107;  // §2.1, its CRLF included

// Takes what stands before the next space, or the rest.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  const bool padded = text.size() > 1 && text.front() == '0';
  if (text.empty() || at != end || error != std::errc() || padded) return std::nullopt;
  return port;
}

std::optional<loop::Address> read_address(int family, std::string_view host, std::uint16_t port) {
  const std::string terminated(host);
  if (terminated.size() != std::string_view(terminated.c_str()).size()) return std::nullopt;
  if (family == AF_INET) {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_port = htons(port);
    if (inet_pton(AF_INET, terminated.c_str(), &raw.sin_addr) != 1) return std::nullopt;
    return loop::Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
  }
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(port);
  if (inet_pton(AF_INET6, terminated.c_str(), &raw.sin6_addr) != 1) return std::nullopt;
  return loop::Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
}

// "192.0.2.7 192.0.2.1 1234 443", one space between two words and none behind the last.
Parsed read_addresses(int family, std::string_view rest, std::size_t size) {
  if (rest.ends_with(' ')) return refused("the header has more than two addresses and ports");
  const std::string_view source = take_word(rest);
  const std::string_view destination = take_word(rest);
  const std::optional<std::uint16_t> source_port = read_port(take_word(rest));
  const std::optional<std::uint16_t> destination_port = read_port(take_word(rest));
  if (!rest.empty()) return refused("the header has more than two addresses and ports");
  if (!source_port || !destination_port) return refused("a port of the header is no number");
  const auto from = read_address(family, source, *source_port);
  const auto to = read_address(family, destination, *destination_port);
  if (!from || !to) return refused("an address of the header is not of its family");
  Parsed parsed{Progress::done, size, {}, {}};
  parsed.header.source = *from;
  parsed.header.destination = *to;
  return parsed;
}

Parsed parse_v1(std::string_view received) {
  const std::size_t end = received.substr(0, kLineMax).find("\r\n");
  if (end == std::string_view::npos) {
    return received.size() < kLineMax ? Parsed{} : refused("the header's line has no end");
  }
  std::string_view line = received.substr(kPrefix.size(), end - kPrefix.size());
  const std::string_view family = take_word(line);
  if (family == "TCP4") return read_addresses(AF_INET, line, end + 2);
  if (family == "TCP6") return read_addresses(AF_INET6, line, end + 2);
  if (family != "UNKNOWN") return refused("the header's family is none of TCP4, TCP6, UNKNOWN");
  Parsed parsed{Progress::done, end + 2, {}, {}};
  parsed.header.local = true;  // whatever else the line says (§2.1)
  return parsed;
}

}  // namespace

Parsed parse(std::string_view received) {
  const auto begins_as = [received](std::string_view whole) {
    const std::size_t size = std::min(received.size(), whole.size());
    return received.substr(0, size) == whole.substr(0, size);
  };
  if (begins_as(kPrefix)) return received.size() < kPrefix.size() ? Parsed{} : parse_v1(received);
  if (!begins_as(kSignature)) return refused("the connection begins with no PROXY protocol header");
  return received.size() < kSignature.size() ? Parsed{} : parse_v2(received);
}

std::string write_v1(const Header& header) {
  const int family = header.source.family();
  const bool inet = family == AF_INET || family == AF_INET6;
  if (header.local || !inet || header.destination.family() != family) return "PROXY UNKNOWN\r\n";
  return fmt::format("PROXY {} {} {} {} {}\r\n", family == AF_INET ? "TCP4" : "TCP6",
                     header.source.host(), header.destination.host(), header.source.port(),
                     header.destination.port());
}

}  // namespace doorward::codec::proxy_protocol
