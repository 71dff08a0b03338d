#include "observe/request_id.h"

#include <array>
#include <cstring>

namespace doorward::observe {
namespace {

consteval std::array<char, 512> hex_pairs() {
  std::array<char, 512> pairs{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    pairs[byte * 2] = "0123456789abcdef"[byte >> 4];
    pairs[byte * 2 + 1] = "0123456789abcdef"[byte & 15];
  }
  return pairs;
}
constexpr auto kHexPairs = hex_pairs();

// The 16 digits of `word`, the highest first.
void write_hex(std::uint64_t word, char* to) {
  for (int shift = 56; shift >= 0; shift -= 8, to += 2) {
    std::memcpy(to, &kHexPairs[((word >> shift) & 0xff) * 2], 2);
  }
}

}  // namespace

void write_hex_id(Random& random, char* to) {
  write_hex(random.next(), to);
  write_hex(random.next(), to + 16);
}

void write_uuid(Random& random, char* to) {
  const std::uint64_t high = (random.next() & ~std::uint64_t{0xf000}) | 0x4000;  // version 4
  const std::uint64_t low = (random.next() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);
  char digits[kHexIdLength];
  write_hex(high, digits);
  write_hex(low, digits + 16);
  std::memcpy(to, digits, 8);
  to[8] = '-';
  std::memcpy(to + 9, digits + 8, 4);
  to[13] = '-';
  std::memcpy(to + 14, digits + 12, 4);
  to[18] = '-';
  std::memcpy(to + 19, digits + 16, 4);
  to[23] = '-';
  std::memcpy(to + 24, digits + 20, 12);
}

}  // namespace doorward::observe
