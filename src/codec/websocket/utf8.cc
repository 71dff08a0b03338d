#include "codec/websocket/utf8.h"

#include <cstring>

namespace doorward::codec::websocket {
namespace {

constexpr std::size_t kWord = 8;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// How many bytes from `at` on are ASCII, in whole words; `mask` has two turns of it.
std::size_t ascii_words(std::string_view bytes, std::size_t at, const unsigned char* mask) {
  std::uint64_t turned;
  std::memcpy(&turned, mask, kWord);
  const std::size_t begin = at;
  for (; bytes.size() - at >= kWord; at += kWord) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, kWord);
    if (((word ^ turned) & kHighBits) != 0) break;
  }
  return at - begin;
}

}  // namespace

bool Utf8::begin(unsigned char byte) {
  if (byte < 0xC2 || byte > 0xF4) return false;
  needed_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  low_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
  high_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  return true;
}

bool Utf8::step(unsigned char byte) {
  if (needed_ == 0) return byte < 0x80 || begin(byte);
  if (byte < low_ || byte > high_) return false;
  --needed_;
  low_ = 0x80;
  high_ = 0xBF;
  return true;
}

bool Utf8::take(std::string_view bytes, const Mask& mask, std::uint64_t offset) {
  unsigned char turns[12];
  for (unsigned i = 0; i < sizeof turns; ++i) turns[i] = mask[(offset + i) & 3];
  for (std::size_t i = 0; i < bytes.size();) {
    if (needed_ == 0) i += ascii_words(bytes, i, turns + (i & 3));
    // Up to the end of the character that stopped it, or of the bytes.
    do {
      if (i == bytes.size()) return true;
      if (!step(static_cast<unsigned char>(bytes[i]) ^ turns[i & 3])) return false;
      ++i;
    } while (needed_ > 0);
  }
  return true;
}

}  // namespace doorward::codec::websocket
