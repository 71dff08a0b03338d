// Utf8: checks text that comes in pieces, masked or not, and says no at the first byte that cannot
// belong to valid UTF-8 (RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF).
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/websocket/frame.h"

namespace doorward::codec::websocket {

class Utf8 {
 public:
  // `offset`: of the first byte in its frame's payload, since the mask goes on from there. A mask
  // of zeros leaves the bytes as they are.
  bool take(std::string_view bytes, const Mask& mask, std::uint64_t offset);
  bool take(std::string_view bytes) { return take(bytes, Mask{}, 0); }
  // Not within a character.
  bool complete() const { return needed_ == 0; }
  void reset() { needed_ = 0; }

 private:
  bool step(unsigned char byte);
  bool begin(unsigned char byte);

  std::uint8_t needed_ = 0;  // further bytes of the character
  std::uint8_t low_ = 0;     // what the next of them may be
  std::uint8_t high_ = 0;
};

}  // namespace doorward::codec::websocket
