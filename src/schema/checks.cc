// Syntax only: whether a name resolves or a port is free is found out when it is used.
#include "schema/checks.h"

#include <algorithm>
#include <charconv>

namespace doorward::schema {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_visible(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7F;
}

bool all_of(std::string_view text, bool (*allowed)(char)) {
  return std::ranges::all_of(text, allowed);
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size() && port <= 65535;
}

bool is_bracketed_ipv6(std::string_view text) {
  return text.size() > 3 && text.front() == '[' && text.back() == ']' &&
         text.find(':') != std::string_view::npos &&
         all_of(text.substr(1, text.size() - 2), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
                  c == ':' || c == '.';
         });
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         all_of(label, [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

// Splits "host:port" at the last colon outside of brackets; no port gives an empty one.
struct HostPort {
  std::string_view host;
  std::string_view port;
  bool has_port = false;
};

HostPort split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return {text, {}, false};
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

}  // namespace

bool is_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && all_of(text, [](char c) {
    return is_alnum(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) {
  return all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

bool is_name(std::string_view text) {
  return !text.empty() && (is_alnum(text.front()) || text.front() == '_') &&
         all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  if (text.front() == '[') return is_bracketed_ipv6(text);
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    if (!is_label(text.substr(0, dot))) return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

bool is_host_port(std::string_view text) {
  const HostPort parts = split_host_port(text);
  return parts.has_port && is_port(parts.port) && (parts.host.empty() || is_host(parts.host));
}

bool is_http_url(std::string_view text) {
  if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else {
    return false;
  }
  const std::string_view authority =
      text.substr(0, std::min(text.find_first_of("/?#"), text.size()));
  const std::string_view rest = text.substr(authority.size());
  const HostPort parts = split_host_port(authority);
  return is_host(parts.host) && (!parts.has_port || is_port(parts.port)) &&
         rest.find('#') == std::string_view::npos && all_of(rest, is_visible);
}

bool is_visible_ascii(std::string_view text) {
  const auto is_ascii = [](char c) {
    return is_visible(c) && static_cast<unsigned char>(c) < 0x80;
  };
  return !text.empty() && all_of(text, is_ascii);
}

bool is_path(std::string_view text) { return text.starts_with('/') && all_of(text, is_visible); }

}  // namespace doorward::schema
