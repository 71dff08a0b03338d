#include "codec/websocket/control_frame.h"

#include <cstring>

namespace doorward::codec::websocket {

ControlFrame::ControlFrame(Sender sender, Opcode opcode, std::string_view payload,
                           std::uint64_t random) {
  payload = payload.substr(0, kControlMost);
  const bool masked = sender == Sender::client;
  bytes_[size_++] = static_cast<char>(0x80 | static_cast<unsigned>(opcode));
  bytes_[size_++] = static_cast<char>((masked ? 0x80U : 0U) | payload.size());
  Mask mask{};
  if (masked) {
    std::memcpy(mask.data(), &random, mask.size());
    std::memcpy(bytes_.data() + size_, &random, mask.size());
    size_ += mask.size();
  }
  for (std::size_t i = 0; i < payload.size(); ++i) {
    bytes_[size_++] = static_cast<char>(static_cast<unsigned char>(payload[i]) ^ mask[i & 3]);
  }
}

ControlFrame ControlFrame::close(Sender sender, CloseCode code, std::string_view reason,
                                 std::uint64_t random) {
  std::array<char, kControlMost> body;
  reason = reason.substr(0, kControlMost - 2);
  const auto number = static_cast<unsigned>(code);
  body[0] = static_cast<char>(number >> 8);
  body[1] = static_cast<char>(number & 255);
  reason.copy(body.data() + 2, reason.size());
  return {sender, Opcode::close, {body.data(), 2 + reason.size()}, random};
}

}  // namespace doorward::codec::websocket
