#include "codec/websocket/frame.h"

#include <cstring>

namespace doorward::codec::websocket {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

bool read_head(std::string_view bytes, FrameHead& head) {
  if (bytes.size() < 2) return false;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  head.fin = (first & 0x80) != 0;
  head.reserved = first >> 4 & 7;
  head.opcode = static_cast<Opcode>(first & 15);
  head.masked = (second & 0x80) != 0;
  const unsigned length = second & 127;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  head.size = 2 + extended + (head.masked ? 4 : 0);
  if (bytes.size() < head.size) return false;
  head.length = extended == 0 ? length : big_endian(bytes.substr(2, extended));
  head.minimal = extended == 0 || (extended == 2 ? head.length >= 126
                                                 : head.length > 0xFFFF && head.length >> 63 == 0);
  if (head.masked) std::memcpy(head.mask.data(), bytes.data() + 2 + extended, 4);
  return true;
}

}  // namespace doorward::codec::websocket
