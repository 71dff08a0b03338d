#include "translate/grpc/message.h"

#include <algorithm>

#include "text/ascii.h"

namespace doorward::translate::grpc {
namespace {

bool stands_for_itself(char c) { return (text::is_visible(c) || c == ' ') && c != '%'; }

}  // namespace

std::string_view encode_message(std::string_view text, Arena& arena) {
  const auto plain = static_cast<std::size_t>(std::ranges::count_if(text, &stands_for_itself));
  if (plain == text.size()) return text;
  const std::size_t size = plain + 3 * (text.size() - plain);
  char* const encoded = arena.bytes(size);
  char* to = encoded;
  for (const char c : text) {
    if (stands_for_itself(c)) {
      *to++ = c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    *to++ = '%';
    *to++ = text::hex_digit(byte >> 4U);
    *to++ = text::hex_digit(byte);
  }
  return {encoded, size};
}

}  // namespace doorward::translate::grpc
