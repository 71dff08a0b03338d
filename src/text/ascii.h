// ASCII as protocols use it: no locale, bytes above 0x7f are letters of nobody. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace doorward::text {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_alpha(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
constexpr char lower(char c) { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }
// Printable and no space: 0x21..0x7e.
constexpr bool is_visible(char c) { return c > 0x20 && c < 0x7f; }

// The value of a hex digit, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
constexpr char hex_digit(unsigned nibble) { return "0123456789ABCDEF"[nibble & 15]; }

inline std::string lower_copy(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

inline bool equal_ignore_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace doorward::text
