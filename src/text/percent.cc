#include "text/percent.h"

namespace doorward::text {
namespace {

// Decodes one character at `at` and moves past it.
char next_decoded(std::string_view text, std::size_t& at, Plus plus) {
  const char c = text[at];
  if (c == '%' && is_escape(text, at)) {
    const char value = escape_value(text, at);
    at += 3;
    return value;
  }
  ++at;
  return c == '+' && plus == Plus::space ? ' ' : c;
}

bool has_encoded(std::string_view text, Plus plus) {
  for (char c : text) {
    if (c == '%' || (c == '+' && plus == Plus::space)) return true;
  }
  return false;
}

}  // namespace

bool percent_equals(std::string_view encoded, std::string_view plain, Plus plus) {
  if (encoded.size() < plain.size() || encoded.size() > 3 * plain.size()) return false;
  std::size_t at = 0;
  for (char c : plain) {
    if (at == encoded.size() || next_decoded(encoded, at, plus) != c) return false;
  }
  return at == encoded.size();
}

std::size_t percent_decode(std::string_view encoded, Plus plus, char* to) {
  char* const begin = to;
  for (std::size_t at = 0; at < encoded.size();) *to++ = next_decoded(encoded, at, plus);
  return static_cast<std::size_t>(to - begin);
}

std::string_view percent_decode(std::string_view encoded, Plus plus, Arena& arena) {
  if (!has_encoded(encoded, plus)) return encoded;
  char* to = arena.bytes(encoded.size());
  return {to, percent_decode(encoded, plus, to)};
}

std::string percent_encode(std::string_view plain, std::string_view keep) {
  std::string out;
  out.reserve(plain.size());
  for (char c : plain) {
    if (is_unreserved(c) || keep.contains(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', hex_digit(byte >> 4), hex_digit(byte)};
  }
  return out;
}

}  // namespace doorward::text
