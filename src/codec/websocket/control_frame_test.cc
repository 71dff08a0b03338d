// Doorward's own frames, as bytes and as the reader takes them.
#include "codec/websocket/control_frame.h"

#include <gtest/gtest.h>
#include <string>

#include "codec/websocket/frame_reader.h"

namespace doorward::codec::websocket {
namespace {

std::string payload_as_read(const ControlFrame& frame, Sender sender, Opcode opcode) {
  FrameReader reader(sender, false, 0);
  std::string_view rest = frame.view();
  std::string_view piece;
  EXPECT_EQ(reader.next(rest, piece), FrameReader::Step::control);
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(reader.control().opcode, opcode);
  return std::string(reader.control().payload());
}

TEST(ControlFrame, AServersIsNotMasked) {
  EXPECT_EQ(ControlFrame(Sender::server, Opcode::ping, "Hello", 1).view(), "\x89\x05Hello");
  EXPECT_EQ(ControlFrame::close(Sender::server, CloseCode::going_away, "bye", 1).view(),
            "\x88\x05\x03\xe9"
            "bye");
}

TEST(ControlFrame, AClientsIsMasked) {
  const ControlFrame pong(Sender::client, Opcode::pong, "Hello", 0x3d21fa37);
  EXPECT_EQ(pong.view(), "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  EXPECT_EQ(payload_as_read(pong, Sender::client, Opcode::pong), "Hello");
}

TEST(ControlFrame, NeverSaysMoreThanItMay) {
  const std::string text(200, 'x');
  EXPECT_EQ(payload_as_read({Sender::client, Opcode::ping, text, 7}, Sender::client, Opcode::ping),
            std::string(125, 'x'));
  EXPECT_EQ(payload_as_read(ControlFrame::close(Sender::server, CloseCode::too_large, text, 7),
                            Sender::server, Opcode::close),
            "\x03\xf1" + std::string(123, 'x'));
}

}  // namespace
}  // namespace doorward::codec::websocket
