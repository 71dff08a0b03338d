#include "http/uri.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

#include "text/ascii.h"

namespace doorward::http {
namespace {

std::unexpected<UriRefusal> refuse(UriRefusal refusal) { return std::unexpected(refusal); }

UriResult<void> check_bytes(std::string_view target) {
  // Without branches and tables, so that it is done in vectors.
  unsigned char bad = 0;
  for (char c : target) bad |= static_cast<unsigned char>(!text::is_visible(c) | (c == '#'));
  if (bad == 0) [[likely]]
    return {};
  for (char c : target) {
    if (!text::is_visible(c)) return refuse(UriRefusal::target_character);
  }
  return refuse(UriRefusal::target_fragment);
}

void split_query(std::string_view rest, Target& to) {
  const void* mark = std::memchr(rest.data(), '?', rest.size());
  if (mark == nullptr) {
    to.path = rest;
    return;
  }
  const auto at = static_cast<std::size_t>(static_cast<const char*>(mark) - rest.data());
  to.has_query = true;
  to.path = rest.substr(0, at);
  to.query = rest.substr(at + 1);
}

UriResult<Target> split_absolute(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos || colon == 0) return refuse(UriRefusal::target_invalid);
  Target out;
  out.form = TargetForm::absolute;
  out.scheme = target.substr(0, colon);
  if (!text::equal_ignore_case(out.scheme, "http") &&
      !text::equal_ignore_case(out.scheme, "https")) {
    return refuse(UriRefusal::target_scheme);
  }
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  out.authority = rest.substr(0, end);
  if (out.authority.contains('@')) return refuse(UriRefusal::target_userinfo);
  if (out.authority.empty()) return refuse(UriRefusal::host_missing);
  split_query(rest.substr(end), out);
  out.path_was_empty = out.path.empty();
  if (out.path_was_empty) out.path = "/";
  return out;
}

// What a byte is in a host name.
enum HostByte : std::uint8_t { kBad, kGood, kUpper, kDot, kColon };

constexpr std::array<HostByte, 256> kHostBytes = [] {
  std::array<HostByte, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    if (text::is_upper(byte)) {
      table[c] = kUpper;
    } else if (text::is_alpha(byte) || text::is_digit(byte) || byte == '-' || byte == '_') {
      table[c] = kGood;
    }
  }
  table['.'] = kDot;
  table[':'] = kColon;
  return table;
}();

constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;

// The port after ':'; nothing after it means the default (RFC 3986 §3.2.3).
UriResult<std::uint16_t> parse_port(std::string_view digits) {
  if (digits.size() > 5) return refuse(UriRefusal::host_port_invalid);
  unsigned port = 0;
  for (char c : digits) {
    if (!text::is_digit(c)) return refuse(UriRefusal::host_port_invalid);
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port > 65535 || (port == 0 && !digits.empty())) {
    return refuse(UriRefusal::host_port_invalid);
  }
  return static_cast<std::uint16_t>(port);
}

UriResult<HostPort> with_port(std::string_view host, std::string_view rest) {
  if (rest.empty()) [[likely]]
    return HostPort{host, 0};
  if (rest[0] != ':') return refuse(UriRefusal::host_invalid);
  auto port = parse_port(rest.substr(1));
  if (!port) return refuse(port.error());
  return HostPort{host, *port};
}

UriResult<HostPort> normalize_ip_literal(std::string_view authority, Arena& arena) {
  const std::size_t close = authority.find(']');
  char text[INET6_ADDRSTRLEN];
  if (close == std::string_view::npos || close - 1 >= sizeof text) {
    return refuse(UriRefusal::host_invalid);
  }
  std::memcpy(text, authority.data() + 1, close - 1);
  text[close - 1] = '\0';
  in6_addr address;
  if (::inet_pton(AF_INET6, text, &address) != 1) return refuse(UriRefusal::host_invalid);
  ::inet_ntop(AF_INET6, &address, text, sizeof text);
  const std::string_view literal = authority.substr(0, close + 1);
  const std::string_view rest = authority.substr(close + 1);
  if (literal.substr(1, close - 1) == text) return with_port(literal, rest);
  return with_port(arena.join("[", std::string_view(text), "]"), rest);
}

std::string_view lower_in(std::string_view host, Arena& arena) {
  char* to = arena.bytes(host.size());
  for (std::size_t i = 0; i < host.size(); ++i) to[i] = text::lower(host[i]);
  return {to, host.size()};
}

}  // namespace

UriResult<Target> split_target(std::string_view target) {
  if (target.empty()) return refuse(UriRefusal::target_invalid);
  if (auto good = check_bytes(target); !good) return refuse(good.error());
  if (target[0] == '/') [[likely]] {
    Target out;
    split_query(target, out);
    return out;
  }
  if (target == "*") {
    Target out;
    out.form = TargetForm::asterisk;
    out.path = target;
    return out;
  }
  return split_absolute(target);
}

UriResult<HostPort> normalize_host(std::string_view authority, Arena& arena) {
  if (authority.empty()) return refuse(UriRefusal::host_missing);
  if (authority[0] == '[') return normalize_ip_literal(authority, arena);
  bool upper = false;
  std::size_t at = 0, label = 0;
  for (; at < authority.size(); ++at) {
    const HostByte kind = kHostBytes[static_cast<unsigned char>(authority[at])];
    if (kind == kGood) [[likely]]
      continue;
    if (kind == kBad) return refuse(UriRefusal::host_invalid);
    if (kind == kColon) break;
    if (kind == kUpper) {
      upper = true;
      continue;
    }
    if (at == label || at - label > kLongestLabel) return refuse(UriRefusal::host_invalid);
    label = at + 1;
  }
  std::string_view host = authority.substr(0, at);
  const std::string_view rest = authority.substr(at);
  if (at - label > kLongestLabel) return refuse(UriRefusal::host_invalid);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return refuse(UriRefusal::host_missing);
  if (host.size() > kLongestName) return refuse(UriRefusal::host_invalid);
  return with_port(upper ? lower_in(host, arena) : host, rest);
}

bool is_location(std::string_view text, Arena& arena) {
  const auto visible = [](char c) { return c > ' ' && c < 0x7F; };
  if (text.empty() || !std::ranges::all_of(text, visible)) return false;
  for (const std::string_view begin : {"http://", "https://", "//"}) {
    if (!text::equal_ignore_case(text.substr(0, begin.size()), begin)) continue;
    text.remove_prefix(begin.size());
    return normalize_host(text.substr(0, text.find_first_of("/?#")), arena).has_value();
  }
  return true;
}

}  // namespace doorward::http
