// FrameReader: one direction of a WebSocket, checked as it passes (RFC 6455). It is fed bytes as
// they come, split anywhere, and says of each piece whether it may go on; payload is never copied.
//
// Subtle: a head that is split, and a control frame that is split, are held back until they are
// whole, so that nothing of a frame goes on whose head breaks a rule; at most kHeldMost bytes.
// Within a data frame only text can turn out wrong; then the frame has gone on up to there, unless
// it lay in the same bytes (inside_frame() tells). Pure: no clock and no socket.
// Owner: whoever passes the bytes on.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "codec/websocket/frame.h"
#include "codec/websocket/refusal.h"
#include "codec/websocket/utf8.h"

namespace doorward::codec::websocket {

class FrameReader {
 public:
  static constexpr std::size_t kHeldMost = kHeadMost + kControlMost;
  static constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

  enum class Step : std::uint8_t {
    need_more,  // all bytes are taken
    pass,       // a piece of data frames
    control,    // a whole control frame; control() has it
    refused,    // refusal() says why; for good
  };

  struct Control {
    Opcode opcode = Opcode::close;
    std::uint8_t size = 0;
    std::array<char, kControlMost> bytes;
    std::string_view payload() const { return {bytes.data(), size}; }  // unmasked
  };

  // `deflate`: permessage-deflate was negotiated, so RSV1 marks compressed messages (RFC 7692 §6).
  // `message_bytes`: the largest message; 0: no limit.
  FrameReader(Sender sender, bool deflate, std::uint64_t message_bytes)
      : sender_(sender),
        deflate_(deflate),
        message_most_(message_bytes == 0 ? kUnlimited : message_bytes) {}

  // Takes bytes off `rest`. What may go on is `piece`: a part of `rest`, or, at first, held bytes
  // that stay until the next call. Call again until need_more or refused. What follows a close
  // frame is dropped (§5.5.1).
  Step next(std::string_view& rest, std::string_view& piece);

  // The last control frame.
  const Control& control() const { return control_; }
  Refusal refusal() const { return refusal_; }
  bool closed() const { return closed_; }
  // Of the close frame; 1005: it has none (RFC 6455 §7.4.1).
  unsigned close_code() const;
  // Messages that have begun.
  std::uint64_t messages() const { return messages_; }
  // What was passed on so far ends within a frame.
  bool inside_frame() const { return inside_; }
  // A piece lies in the reader, not in what it was fed.
  bool is_held(std::string_view piece) const { return piece.data() == held_.data(); }
  // A piece ends where its frame ends, and does not go on with the next one.
  void read_frame_by_frame() { frame_by_frame_ = true; }
  void read_many_frames() { frame_by_frame_ = false; }

  // How many messages, pings and empty fragments may still come; then it is too_fast.
  void allow_messages(std::uint64_t count) { messages_left_ = count; }
  std::uint64_t messages_left() const { return messages_left_; }

 private:
  Step complete_held(std::string_view& rest, std::string_view& piece);
  Step take_control(const FrameHead& head, std::string_view& rest, std::string_view& piece);
  Step finish_control(const FrameHead& head, std::string_view& piece);
  bool check(const FrameHead& head);
  Refusal judge(const FrameHead& head) const;
  Refusal judge_data(const FrameHead& head) const;
  void begin_frame(const FrameHead& head);
  bool take_payload(std::string_view& rest);
  Refusal judge_close() const;
  bool counts(const FrameHead& head) const;
  void count(const FrameHead& head);
  void hold(std::string_view& rest, std::size_t up_to);
  std::string_view held() const { return {held_.data(), held_size_}; }

  const Sender sender_;
  const bool deflate_;
  const std::uint64_t message_most_;

  // The message
  bool message_open_ = false;
  bool check_text_ = false;
  std::uint64_t message_size_ = 0;
  std::uint64_t messages_ = 0;
  Utf8 utf8_;

  // The frame
  bool fin_ = false;
  Mask mask_{};
  std::uint64_t offset_ = 0;  // in its payload
  std::uint64_t left_ = 0;    // of its payload
  bool inside_ = false;

  bool frame_by_frame_ = false;
  bool closed_ = false;
  Refusal refusal_ = Refusal::none;
  std::uint64_t messages_left_ = kUnlimited;
  std::size_t held_size_ = 0;
  std::array<char, kHeldMost> held_;
  Control control_;
};

}  // namespace doorward::codec::websocket
