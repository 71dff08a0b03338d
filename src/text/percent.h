// Percent-encoding (RFC 3986 §2.1) as views: comparing and decoding without memory when nothing is
// encoded. Broken escapes ("%", "%4", "%zz") stand for themselves. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "text/ascii.h"

namespace doorward::text {

// What '+' means: itself in paths, a space in queries (application/x-www-form-urlencoded).
enum class Plus : std::uint8_t { itself, space };

// ALPHA / DIGIT / "-" / "." / "_" / "~" (RFC 3986 §2.3).
constexpr bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Does an escape begin at `at`?
inline bool is_escape(std::string_view text, std::size_t at) {
  return text[at] == '%' && text.size() - at > 2 && hex_value(text[at + 1]) >= 0 &&
         hex_value(text[at + 2]) >= 0;
}
// The byte of the escape at `at`, which is one.
inline char escape_value(std::string_view text, std::size_t at) {
  return static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]));
}

// Is `encoded`, decoded, equal to `plain`?
bool percent_equals(std::string_view encoded, std::string_view plain, Plus plus);

// Writes at most encoded.size() bytes to `to`; returns how many.
std::size_t percent_decode(std::string_view encoded, Plus plus, char* to);
// `encoded` itself when nothing is encoded, else decoded bytes in `arena`.
std::string_view percent_decode(std::string_view encoded, Plus plus, Arena& arena);

// All but unreserved characters and those in `keep` as upper-case escapes.
std::string percent_encode(std::string_view plain, std::string_view keep = {});

}  // namespace doorward::text
