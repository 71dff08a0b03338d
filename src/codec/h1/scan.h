// Scans that end at the first byte outside a set, 16 bytes at a time with SSE2 (32 with AVX2 where
// it is compiled in). The scalar forms are the definition; the vector forms must agree with them.
// Never read outside [begin, end): the tail is a load that overlaps what was scanned already.
#pragma once

#include <bit>
#include <cstdint>

#include "http/field.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace doorward::codec::h1 {

// Below 0x20 (tab included) or 0x7f: what ends a run of plain text.
inline bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// What never is a part of a request target, and "\\", which is only in queries.
inline bool stops_target(char c) {
  return static_cast<signed char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '#' || c == '<' ||
         c == '>' || c == '\\';
}

template <class Stops>
const char* find_scalar(const char* at, const char* end, Stops stops) {
  while (at != end && !stops(*at)) ++at;
  return at;
}

#if defined(__SSE2__)

namespace detail {

struct Control {
  static bool stops(char c) { return is_control(c); }
  static __m128i hits(__m128i text) {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1f)), text);
    return _mm_or_si128(low, _mm_cmpeq_epi8(text, _mm_set1_epi8(0x7f)));
  }
#if defined(__AVX2__)
  static __m256i hits(__m256i text) {
    const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(text, _mm256_set1_epi8(0x1f)), text);
    return _mm256_or_si256(low, _mm256_cmpeq_epi8(text, _mm256_set1_epi8(0x7f)));
  }
#endif
};

struct Target {
  static bool stops(char c) { return stops_target(c); }
  static __m128i hits(__m128i text) {
    // Bytes from 0x80 are negative, so they are not above 0x20 either.
    const __m128i plain = _mm_cmpgt_epi8(text, _mm_set1_epi8(0x20));
    const __m128i quote_hash =
        _mm_cmpeq_epi8(_mm_and_si128(text, _mm_set1_epi8(~1)), _mm_set1_epi8('"'));
    const __m128i angles =
        _mm_cmpeq_epi8(_mm_and_si128(text, _mm_set1_epi8(~2)), _mm_set1_epi8('<'));
    const __m128i others = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('\\')),
                                        _mm_cmpeq_epi8(text, _mm_set1_epi8(0x7f)));
    const __m128i bad = _mm_or_si128(_mm_or_si128(quote_hash, angles), others);
    return _mm_or_si128(bad, _mm_xor_si128(plain, _mm_set1_epi8(-1)));
  }
};

struct Colon {
  static bool stops(char c) { return c == ':'; }
  static __m128i hits(__m128i text) { return _mm_cmpeq_epi8(text, _mm_set1_epi8(':')); }
};

// Letters, digits and "-": what field names are made of in practice.
struct Name {
  static bool stops(char c) { return !text::is_alpha(c) && !text::is_digit(c) && c != '-'; }
  static __m128i within(__m128i text, char first, char count) {
    const __m128i offset = _mm_sub_epi8(text, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(count)), offset);
  }
  static __m128i hits(__m128i text) {
    const __m128i letters = within(_mm_or_si128(text, _mm_set1_epi8(0x20)), 'a', 25);
    const __m128i digits = within(text, '0', 9);
    const __m128i dashes = _mm_cmpeq_epi8(text, _mm_set1_epi8('-'));
    const __m128i good = _mm_or_si128(_mm_or_si128(letters, digits), dashes);
    return _mm_xor_si128(good, _mm_set1_epi8(-1));
  }
};

template <class Set>
inline std::uint32_t hits_at(const char* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(Set::hits(bytes)));
}

// `at` lies in [begin, end]; bytes from `begin` on may be read.
template <class Set>
inline const char* find(const char* begin, const char* at, const char* end) {
#if defined(__AVX2__)
  if constexpr (requires(__m256i text) { Set::hits(text); }) {
    for (; end - at >= 32; at += 32) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      const auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(Set::hits(bytes)));
      if (mask != 0) return at + std::countr_zero(mask);
    }
  }
#endif
  for (; end - at >= 16; at += 16) {
    const std::uint32_t mask = hits_at<Set>(at);
    if (mask != 0) return at + std::countr_zero(mask);
  }
  if (end - begin < 16) return find_scalar(at, end, Set::stops);
  const std::uint32_t mask = hits_at<Set>(end - 16) >> (16 - (end - at));
  return mask != 0 ? at + std::countr_zero(mask) : end;
}

}  // namespace detail

inline const char* find_control(const char* begin, const char* at, const char* end) {
  return detail::find<detail::Control>(begin, at, end);
}

inline const char* find_target_stop(const char* begin, const char* at, const char* end) {
  return detail::find<detail::Target>(begin, at, end);
}

inline const char* find_colon(const char* begin, const char* at, const char* end) {
  return detail::find<detail::Colon>(begin, at, end);
}

// The first byte that is not a token character; usually a colon.
inline const char* find_name_end(const char* begin, const char* at, const char* end) {
  at = detail::find<detail::Name>(begin, at, end);
  while (at != end && *at != ':' && http::is_token_character(*at)) ++at;
  return at;
}

#else

inline const char* find_control(const char*, const char* at, const char* end) {
  return find_scalar(at, end, is_control);
}

inline const char* find_target_stop(const char*, const char* at, const char* end) {
  return find_scalar(at, end, stops_target);
}

inline const char* find_colon(const char*, const char* at, const char* end) {
  return find_scalar(at, end, [](char c) { return c == ':'; });
}

inline const char* find_name_end(const char*, const char* at, const char* end) {
  return find_scalar(at, end, [](char c) { return !http::is_token_character(c); });
}

#endif

}  // namespace doorward::codec::h1
