// Frames for tests, right or wrong. Only *_test.cc files include it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/websocket/frame.h"

namespace doorward::codec::websocket {

struct FrameText {
  unsigned opcode = 1;
  std::string_view payload = {};
  bool fin = true;
  unsigned reserved = 0;
  bool masked = false;
  unsigned length_bytes = 0;    // 0, 2 or 8 behind the first two; by default as few as will do
  std::uint64_t announced = 0;  // instead of the payload's length
};

inline std::string frame(const FrameText& text) {
  const std::uint64_t length = text.announced != 0 ? text.announced : text.payload.size();
  const unsigned extended = text.length_bytes != 0 ? text.length_bytes
                            : length < 126         ? 0
                            : length < 65536       ? 2
                                                   : 8;
  std::string out;
  out += static_cast<char>((text.fin ? 128U : 0U) | text.reserved << 4 | text.opcode);
  const std::uint64_t first = extended == 0 ? length : extended == 2 ? 126 : 127;
  out += static_cast<char>((text.masked ? 128U : 0U) | first);
  for (unsigned i = extended; i-- > 0;) out += static_cast<char>(length >> 8 * i & 255);
  constexpr std::string_view kMask = "\x37\xfa\x21\x3d";
  if (text.masked) out += kMask;
  for (std::size_t i = 0; i < text.payload.size(); ++i) {
    out += static_cast<char>(text.payload[i] ^ (text.masked ? kMask[i & 3] : '\0'));
  }
  return out;
}

inline std::string from_client(unsigned opcode, std::string_view payload, bool fin = true) {
  return frame({.opcode = opcode, .payload = payload, .fin = fin, .masked = true});
}
inline std::string from_server(unsigned opcode, std::string_view payload, bool fin = true) {
  return frame({.opcode = opcode, .payload = payload, .fin = fin});
}

// The body of a close frame.
inline std::string close_body(unsigned code, std::string_view reason = {}) {
  std::string out{static_cast<char>(code >> 8), static_cast<char>(code & 255)};
  return out.append(reason);
}

}  // namespace doorward::codec::websocket
