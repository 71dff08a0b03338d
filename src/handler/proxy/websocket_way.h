// WebSocketWay: one direction of a WebSocket that passes through: what of the received bytes goes
// on, and where Doorward's own frames go in between. It decides only; websocket_tunnel.cc receives
// and sends.
//
// Subtle: only this way sends to `to`, so its own frames (a ping, a close) never meet others; they
// wait for the end of the frame that is under way.
// Owner: a WebSocketTunnel.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/random.h"
#include "codec/websocket/boundary_tracker.h"
#include "codec/websocket/control_frame.h"
#include "codec/websocket/frame_reader.h"
#include "codec/websocket/rules.h"
#include "loop/byte_stream.h"

namespace doorward::handler {

class WebSocketWay {
 public:
  using CloseCode = codec::websocket::CloseCode;
  using Refusal = codec::websocket::Refusal;
  using Sender = codec::websocket::Sender;

  // `rules` null: bytes pass unchecked, and only the ends of frames are followed.
  WebSocketWay(Sender sender, loop::ByteStream& from, loop::ByteStream& to,
               const codec::websocket::Rules* rules, bool deflate);

  // What is to be sent because of `received` (perhaps nothing was): parts of it, held bytes, own
  // frames. Valid until the next call, as long as `received` stays untouched.
  std::span<const iovec> take(std::string_view received, TimePoint now, Random& random);

  // At the next end of a frame. Of a ping, the answer with the same `id` is awaited by the other
  // way, and not passed on.
  void say_ping(std::uint64_t id);
  void await_pong(std::uint64_t id);
  void say_close(CloseCode code, std::string_view reason);  // `reason` stays
  // Something of its own can be said at once.
  bool has_to_say() const { return is_due() && between_frames(); }
  // Nothing goes out any more.
  void mute() { muted_ = true; }

  // Why the sender's bytes go no further.
  Refusal refusal() const { return reader_.refusal(); }
  // Frames are known in what passes.
  bool knows_frames() const { return checked_ || tracker_.tracks(); }
  // The sender has sent its close frame.
  bool heard_close() const { return checked_ ? reader_.closed() : tracker_.closed(); }
  // Its code; 1005: there is none (RFC 6455 §7.4.1).
  unsigned heard_code() const { return checked_ ? reader_.close_code() : tracker_.close_code(); }
  // Messages that have begun, where frames are checked.
  std::uint64_t messages() const { return reader_.messages(); }
  // A close frame has gone to `to`: the sender's, or Doorward's.
  bool closed() const { return said_close_ || heard_close(); }
  // A rule was broken within a frame, the end of which never comes.
  bool stuck() const { return refusal() != Refusal::none && reader_.inside_frame(); }
  // Nothing more can be said to `to`.
  bool said_all() const { return muted_ || closed() || stuck(); }

  loop::ByteStream& from;
  loop::ByteStream& to;
  // How its coroutine stands; for the tunnel.
  TimePoint heard{};   // when `from` last said something
  TimePoint pinged{};  // when it was asked for a sign of life; unset: it has given one
  bool woken = false;  // its recv was cancelled, to look around
  bool sending = false;
  bool finished = false;  // FIN has gone to `to`

 private:
  static constexpr std::size_t kPartsMost = 8;

  bool between_frames() const {
    return checked_ ? !reader_.inside_frame() : tracker_.at_boundary();
  }
  bool is_due() const { return (ping_due_ || close_due_) && !muted_ && !closed(); }
  void take_checked(std::string_view rest, Random& random);
  void take_tracked(std::string_view rest, Random& random);
  void pass(std::string_view piece);
  void speak(Random& random);
  bool is_awaited_pong();
  void add(std::string_view bytes);
  void refill(TimePoint now);
  void pay();

  const Sender sender_;
  const bool checked_;
  codec::websocket::FrameReader reader_;
  codec::websocket::BoundaryTracker tracker_;

  // What take() gives.
  std::array<iovec, kPartsMost> parts_;
  std::size_t part_count_ = 0;
  std::array<char, codec::websocket::FrameReader::kHeldMost> held_;
  codec::websocket::ControlFrame own_;

  // What Doorward has to say to `to`.
  bool ping_due_ = false;
  bool close_due_ = false;
  bool said_close_ = false;
  bool muted_ = false;
  CloseCode close_code_ = CloseCode::going_away;
  std::string_view close_reason_;
  std::uint64_t ping_id_ = 0;
  std::uint64_t awaited_pong_ = 0;  // 0: none

  // The client's rate: time that it has saved up; each message costs some.
  std::uint64_t cost_ns_ = 0;  // 0: no limit
  std::uint64_t saved_ns_;
  std::uint64_t allowed_ = 0;
  TimePoint refilled_{};
};

}  // namespace doorward::handler
