// Checks hosts. Hot: every request has one; names take the table, brackets the slow way.
#include "codec/h1/authority.h"

#include <arpa/inet.h>
#include <array>
#include <cstring>

#include "http/field.h"

namespace doorward::codec::h1 {
namespace {

constexpr std::size_t kLongestHost = 255;

constexpr std::array<bool, 256> kHostCharacters = [] {
  std::array<bool, 256> table{};
  for (char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789-._~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  unsigned port = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port > 0 && port <= 65535;
}

// `text` begins with "["; `after` gets what follows the closing bracket.
bool is_ipv6(std::string_view text, std::string_view& after) {
  const std::size_t close = text.find(']');
  char address[INET6_ADDRSTRLEN + 1];
  if (close == std::string_view::npos || close > sizeof address) return false;
  std::memcpy(address, text.data() + 1, close - 1);
  address[close - 1] = '\0';
  after = text.substr(close + 1);
  in6_addr ignored;
  return inet_pton(AF_INET6, address, &ignored) == 1;
}

std::string_view without_port(std::string_view authority, std::string_view port) {
  if (authority.size() > port.size() && authority.ends_with(port) &&
      authority[authority.size() - port.size() - 1] == ':') {
    authority.remove_suffix(port.size() + 1);
  }
  return authority;
}

}  // namespace

bool is_authority(std::string_view text) {
  if (text.empty()) return false;
  std::string_view after;
  if (text[0] == '[') {
    if (!is_ipv6(text, after)) return false;
  } else {
    std::size_t end = 0;
    char previous = '.';  // a leading dot makes an empty label, too
    for (; end < text.size() && kHostCharacters[static_cast<unsigned char>(text[end])]; ++end) {
      if (text[end] == '.' && previous == '.') return false;
      previous = text[end];
    }
    if (end == 0 || end > kLongestHost) return false;
    after = text.substr(end);
  }
  return after.empty() || (after[0] == ':' && is_port(after.substr(1)));
}

bool same_authority(std::string_view a, std::string_view b, std::string_view default_port) {
  return http::equal_ignore_case(without_port(a, default_port), without_port(b, default_port));
}

}  // namespace doorward::codec::h1
