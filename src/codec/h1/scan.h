// find_control: the first byte that ends a run of plain text (below 0x20, tab included, or 0x7f),
// 16 or 32 bytes at a time. The scalar form is the definition; the others must agree with it.
// Never reads outside [at, end).
#pragma once

#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace doorward::codec::h1 {

inline bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

inline const char* find_control_scalar(const char* at, const char* end) {
  while (at != end && !is_control(*at)) ++at;
  return at;
}

#if defined(__AVX2__)
inline const char* find_control(const char* at, const char* end) {
  const __m256i top = _mm256_set1_epi8(0x1f);
  const __m256i del = _mm256_set1_epi8(0x7f);
  for (; end - at >= 32; at += 32) {
    const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(text, top), text);
    const __m256i hits = _mm256_or_si256(low, _mm256_cmpeq_epi8(text, del));
    const auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(hits));
    if (mask != 0) return at + std::countr_zero(mask);
  }
  return find_control_scalar(at, end);
}
#elif defined(__SSE2__)
inline const char* find_control(const char* at, const char* end) {
  const __m128i top = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(text, top), text);
    const __m128i hits = _mm_or_si128(low, _mm_cmpeq_epi8(text, del));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(hits));
    if (mask != 0) return at + std::countr_zero(mask);
  }
  return find_control_scalar(at, end);
}
#else
inline const char* find_control(const char* at, const char* end) {
  return find_control_scalar(at, end);
}
#endif

}  // namespace doorward::codec::h1
