#include "policy/websocket/origins.h"

#include <algorithm>

#include "text/ascii.h"
#include "text/glob.h"

namespace doorward::policy {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kNull = "null";

bool is_host_character(char c) {
  return text::is_alpha(c) || text::is_digit(c) || std::string_view("-._~:[]").contains(c);
}

// scheme "://" host [":" port]; with `star`, "*" may stand in the host and for the port.
bool is_origin(std::string_view text, bool star) {
  const std::size_t colon = text.find("://");
  if (colon == 0 || colon == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view host = text.substr(colon + 3);
  const auto in_scheme = [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '-'; };
  const auto in_host = [&](char c) { return is_host_character(c) || (star && c == '*'); };
  return !host.empty() && std::ranges::all_of(scheme, in_scheme) &&
         std::ranges::all_of(host, in_host);
}

// RFC 6454 §6.2: a default port is not written.
std::string_view without_default_port(std::string_view origin) {
  if (origin.starts_with("http://") && origin.ends_with(":80")) origin.remove_suffix(3);
  if (origin.starts_with("https://") && origin.ends_with(":443")) origin.remove_suffix(4);
  return origin;
}

}  // namespace

std::string origin_error(std::string_view pattern) {
  if (pattern == kAny || pattern == kNull || is_origin(pattern, true)) return {};
  return "must be an origin such as https://app.example.com or https://*.example.com, or \"*\"";
}

Origins::Origins(std::span<const std::string> patterns) {
  for (const std::string& pattern : patterns) {
    const std::string lower = text::lower_copy(pattern);
    patterns_.emplace_back(without_default_port(lower));
  }
}

bool Origins::contains(std::string_view origin, Arena& arena) const {
  char* const copy = arena.bytes(origin.size() + 1);
  std::ranges::transform(origin, copy, [](char c) { return text::lower(c); });
  const std::string_view lower = without_default_port({copy, origin.size()});
  const bool plain = is_origin(lower, false);  // what "*" may stand for is then host and port
  return std::ranges::any_of(patterns_, [&](const std::string& pattern) {
    if (pattern == kAny || pattern == lower) return true;
    return plain && text::is_glob(pattern) && text::glob_match(pattern, lower);
  });
}

}  // namespace doorward::policy
