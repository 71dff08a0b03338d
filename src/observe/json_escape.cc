// The quick way first: most texts are plain ASCII, which one pass of SSE2 compares (or of 64-bit
// words elsewhere) proves, and are then copied whole. Only the others are walked byte by byte.
#include "observe/json_escape.h"

#include <array>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace doorward::observe {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// Non-zero if a byte of `word` is a quote, a backslash, below 0x20 or above 0x7f. (Exact as a
// test of the whole word: a borrow can only come out of a byte that is itself a hit.)
constexpr std::uint64_t special_in(std::uint64_t word) {
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t slash = word ^ (kOnes * '\\');
  return ((word - kOnes * 0x20) | (quote - kOnes) | (slash - kOnes) | word) & kHighs;
}

std::uint64_t load(const char* from, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, size);
  return word;
}

// Texts under 16 bytes: two loads that overlap.
bool is_plain_short(const char* at, std::size_t size) {
  if (size >= 8) return special_in(load(at, 8)) == 0 && special_in(load(at + size - 8, 8)) == 0;
  if (size >= 4) {
    return special_in(load(at, 4) | load(at + size - 4, 4) << 32) == 0;
  }
  std::uint64_t word = kOnes * 'x';
  for (std::size_t i = 0; i < size; ++i) word = word << 8 | static_cast<unsigned char>(at[i]);
  return special_in(word) == 0;
}

#ifdef __SSE2__
bool is_plain_block(const char* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));  // signed: 0x80 and up too
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash))) == 0;
}
#else
bool is_plain_block(const char* at) {
  return (special_in(load(at, 8)) | special_in(load(at + 8, 8))) == 0;
}
#endif

// Size of the UTF-8 sequence (RFC 3629 section 4) that begins at `at`, a byte above 0x7f; 0 if
// there is none.
std::size_t utf8_size(const unsigned char* at, std::size_t left) {
  const auto tail = [&](std::size_t i, unsigned low, unsigned high) {
    return i < left && at[i] >= low && at[i] <= high;
  };
  const unsigned lead = at[0];
  if (lead >= 0xc2 && lead <= 0xdf) return tail(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return tail(1, low, high) && tail(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return tail(1, low, high) && tail(2, 0x80, 0xbf) && tail(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// Room is always for 6 bytes a byte, so short escapes may be written as 6 and advance less.
char* write_escape(char* to, unsigned char c) {
  switch (c) {
    case '"':
      std::memcpy(to, "\\\"", 2);
      return to + 2;
    case '\\':
      std::memcpy(to, "\\\\", 2);
      return to + 2;
    case '\n':
      std::memcpy(to, "\\n", 2);
      return to + 2;
    case '\r':
      std::memcpy(to, "\\r", 2);
      return to + 2;
    case '\t':
      std::memcpy(to, "\\t", 2);
      return to + 2;
    default:
      break;
  }
  std::memcpy(to, "\\u00", 4);
  to[4] = "0123456789abcdef"[c >> 4];
  to[5] = "0123456789abcdef"[c & 15];
  return to + 6;
}

char* write_walking(char* to, std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at != end) {
    if (*at < 0x20 || *at == '"' || *at == '\\') {
      to = write_escape(to, *at++);
    } else if (*at < 0x80) {
      *to++ = static_cast<char>(*at++);
    } else if (const std::size_t size = utf8_size(at, static_cast<std::size_t>(end - at))) {
      std::memcpy(to, at, size);
      to += size;
      at += size;
    } else {
      std::memcpy(to, "\xef\xbf\xbd", 3);  // U+FFFD
      to += 3;
      ++at;
    }
  }
  return to;
}

}  // namespace

bool is_plain_json(std::string_view text) {
  const char* at = text.data();
  const std::size_t size = text.size();
  if (size < 16) return is_plain_short(at, size);
  for (std::size_t i = 0; i + 16 <= size; i += 16) {
    if (!is_plain_block(at + i)) return false;
  }
  return is_plain_block(at + size - 16);
}

char* write_json_text(char* to, std::string_view text) {
  if (!is_plain_json(text)) return write_walking(to, text);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

void append_json_string(std::string& to, std::string_view text) {
  const std::size_t before = to.size();
  to.resize(before + 2 + text.size() * kMostEscaped);
  char* at = to.data() + before;
  *at++ = '"';
  at = write_json_text(at, text);
  *at++ = '"';
  to.resize(static_cast<std::size_t>(at - to.data()));
}

}  // namespace doorward::observe
