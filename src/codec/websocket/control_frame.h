// ControlFrame: a close, ping or pong frame as bytes, ready to be sent (RFC 6455 §5.5).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "codec/websocket/frame.h"

namespace doorward::codec::websocket {

class ControlFrame {
 public:
  ControlFrame() = default;  // no bytes
  // A client's frame is masked with `random`. What is longer than 125 bytes is cut.
  ControlFrame(Sender sender, Opcode opcode, std::string_view payload, std::uint64_t random);
  // `reason` is ASCII, for people; what is longer than 123 bytes is cut.
  static ControlFrame close(Sender sender, CloseCode code, std::string_view reason,
                            std::uint64_t random);

  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::size_t size_ = 0;
  std::array<char, 2 + 4 + kControlMost> bytes_;
};

}  // namespace doorward::codec::websocket
