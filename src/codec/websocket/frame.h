// What frames are made of (RFC 6455 §5.2): the head as a value, read from bytes without state.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace doorward::codec::websocket {

// Who sends: a client masks all its frames, a server none (§5.1).
enum class Sender : std::uint8_t { client, server };

enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

// §7.4.1; those that Doorward sends.
enum class CloseCode : std::uint16_t {
  going_away = 1001,
  protocol_error = 1002,
  invalid_data = 1007,
  policy_violation = 1008,
  too_large = 1009,
};

using Mask = std::array<unsigned char, 4>;

inline constexpr std::size_t kHeadMost = 14;
inline constexpr std::size_t kControlMost = 125;  // payload of a control frame (§5.5)
inline constexpr unsigned kRsv1 = 4;              // permessage-deflate: the message is compressed

struct FrameHead {
  bool fin = false;
  std::uint8_t reserved = 0;  // RSV1 is 4, RSV2 2, RSV3 1
  Opcode opcode = Opcode::continuation;
  bool masked = false;
  bool minimal = true;  // the length is written as short as it can be, and below 2^63
  Mask mask{};
  std::uint64_t length = 0;  // of the payload
  std::size_t size = 0;      // of the head itself

  bool is_control() const { return (static_cast<unsigned>(opcode) & 8) != 0; }
  bool is_known() const { return (static_cast<unsigned>(opcode) & 7) <= 2; }
  // The length is one that its frame may have.
  bool is_sized() const { return minimal && (!is_control() || length <= kControlMost); }
};

// Reads the head at the beginning of `bytes`; false when they do not hold all of it.
bool read_head(std::string_view bytes, FrameHead& head);

}  // namespace doorward::codec::websocket
