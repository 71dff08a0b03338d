// The inside of a JSON string (RFC 8259 section 7) written from arbitrary bytes: plain runs are
// found 16 bytes at a time and copied, quotes and control characters escaped, bytes that are not
// UTF-8 replaced by U+FFFD. No allocation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace doorward::observe {

inline constexpr std::size_t kMostEscaped = 6;  // bytes that one byte can become

// Returns the end; `to` has room for kMostEscaped bytes a byte of `text`.
char* write_json_text(char* to, std::string_view text);
// The same for cold code: appends to `to`, with the quotes.
void append_json_string(std::string& to, std::string_view text);

// True if `text` is ASCII without quote, backslash and control characters.
bool is_plain_json(std::string_view text);

}  // namespace doorward::observe
