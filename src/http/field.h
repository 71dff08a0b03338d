// The grammar of field names and values (RFC 9110 §5): tokens, comma-separated lists, quality
// values. Pure functions on bytes; nothing allocates.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/header_list.h"
#include "text/ascii.h"

namespace doorward::http {

namespace detail {
// token characters (RFC 9110 §5.6.2)
inline constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<unsigned>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
}  // namespace detail

inline bool is_token_character(char c) {
  return detail::kTokenCharacters[static_cast<unsigned char>(c)];
}

bool is_token(std::string_view text);  // at least one character
// Visible ASCII, obs-text, and inner spaces and tabs; no whitespace at either end; may be empty.
bool is_field_value(std::string_view text);
using text::equal_ignore_case;
// Without spaces and tabs at both ends (OWS).
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The elements of a comma-separated list, trimmed, empty ones skipped (RFC 9110 §5.6.1.2). Commas
// inside quoted strings do not separate.
//   for (std::string_view element : ListElements(value)) …
class ListElements {
 public:
  explicit ListElements(std::string_view value) : value_(value) {}

  class Iterator {
   public:
    explicit Iterator(std::string_view rest) : rest_(rest) { ++*this; }
    Iterator() : done_(true) {}
    std::string_view operator*() const { return element_; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return done_ == other.done_; }

   private:
    std::string_view rest_, element_;
    bool done_ = false;
  };
  Iterator begin() const { return Iterator(value_); }
  Iterator end() const { return Iterator(); }

 private:
  std::string_view value_;
};

// Is `token` an element of the list (case-insensitive)?
bool has_token(std::string_view list, std::string_view token);
// … of any of the fields of that name?
bool has_token(const HeaderList& headers, HeaderName name, std::string_view token);

// One element with parameters: "gzip;q=0.5" -> {"gzip", 500}. Quality in thousandths; a malformed
// one counts as 0 (not acceptable).
struct Weighted {
  std::string_view value;
  int quality = 1000;
};
Weighted parse_weighted(std::string_view element);

// Which of `offered` (in the server's order of preference, e.g. {"br", "gzip"}) fits the
// Accept-Encoding fields best (RFC 9110 §12.5.3): the index, or -1 for identity. Without the
// field nothing but identity is chosen. Ties go to the earlier offer; identity is chosen when it
// is weighted higher than all offers.
int choose_encoding(const HeaderList& headers, std::span<const std::string_view> offered);

}  // namespace doorward::http
