// Why a frame is not passed on: each reason once, with what the sender's close frame says of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/websocket/frame.h"

// name, close code, sentence
#define DOORWARD_WEBSOCKET_REFUSALS(X)                                                        \
  X(reserved_bits, protocol_error, "a reserved bit is set that no extension gives a meaning") \
  X(opcode, protocol_error, "the opcode is not defined")                                      \
  X(mask_missing, protocol_error, "a client's frame must be masked")                          \
  X(mask_unexpected, protocol_error, "a server's frame must not be masked")                   \
  X(control_fragmented, protocol_error, "a control frame must not be fragmented")             \
  X(control_too_long, protocol_error, "a control frame has at most 125 bytes")                \
  X(length, protocol_error, "the length is not written in its shortest form")                 \
  X(continuation, protocol_error, "a continuation without a message")                         \
  X(message_interrupted, protocol_error, "a message begins within another")                   \
  X(close_body, protocol_error, "a close frame's code is incomplete or not allowed")          \
  X(utf8, invalid_data, "text is not valid UTF-8")                                            \
  X(too_fast, policy_violation, "too many messages in too short a time")                      \
  X(message_too_large, too_large, "the message is larger than allowed")

namespace doorward::codec::websocket {

enum class Refusal : std::uint8_t {
  none,
#define DOORWARD_WEBSOCKET_ENUM(name, code, sentence) name,
  DOORWARD_WEBSOCKET_REFUSALS(DOORWARD_WEBSOCKET_ENUM)
#undef DOORWARD_WEBSOCKET_ENUM
};

std::string_view to_string(Refusal refusal);  // "mask_missing"
std::string_view sentence(Refusal refusal);
CloseCode close_code(Refusal refusal);

}  // namespace doorward::codec::websocket
