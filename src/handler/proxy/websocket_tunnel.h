// WebSocketTunnel: after an upgrade to `websocket`, bytes pass both ways as in a tunnel, but frames
// are known, so that it can end as a WebSocket should: with close frames (RFC 6455 §7).
//
// With rules each frame is checked before it goes on. Who breaks one gets a close frame that says
// which and then the end of its transport; the other side gets 1001. Without rules the bytes pass
// untouched; when they turn out to be no WebSocket it is a plain tunnel (tunnel.h).
//
// Subtle: closing takes a few seconds at most. Both sides are told at the end of the frame that is
// under way, and their close frames are awaited so long; then it ends, however they stand.
// Owner: the exchange, for as long as run() runs.
#pragma once

#include <optional>

#include "base/chunk.h"
#include "handler/proxy/websocket_way.h"
#include "loop/loop.h"
#include "observe/metrics.h"

namespace doorward::handler {

class WebSocketTunnel final : private loop::TimerTarget {
 public:
  using CloseCode = codec::websocket::CloseCode;

  struct Settings {
    Duration idle;                                    // nothing passed for so long: it ends
    const codec::websocket::Rules* rules = nullptr;   // null: frames are not checked
    bool deflate = false;                             // permessage-deflate was negotiated
    Duration closing{3000};                           // closing takes so long at most
    std::optional<observe::RouteSeries> series = {};  // counts it
  };

  WebSocketTunnel(loop::Loop& loop, loop::ByteStream& client, loop::ByteStream& backend,
                  Settings settings);

  // `client_early` and `backend_early`: bytes that were received together with the heads. Once.
  loop::Task<void> run(Chunk client_early, Chunk backend_early);

  // Ends it with a close frame of this code towards both sides; also before run(). Nothing happens
  // when it is ending, or when frames are not known in what passes. `reason` is static ASCII text.
  void close(CloseCode code, std::string_view reason);
  // The gateway drains: 1001.
  void go_away() { close(CloseCode::going_away, "the gateway goes away"); }

  // What let it in is over: 1008, and `error_code` in the access log (static, like `reason`). One
  // whose frames are not known just ends.
  void dismiss(std::string_view error_code, std::string_view reason);

  // Why Doorward ended it, as the access log says it; empty when it did not, or went away.
  std::string_view error_code() const { return error_code_; }

 private:
  static constexpr unsigned kNoClose = 1006;

  loop::Task<void> run_counted(observe::RouteSeries series, Chunk client_early,
                               Chunk backend_early);
  loop::Task<void> pass_both(Chunk client_early, Chunk backend_early);
  void note_close(unsigned code);
  void count_messages(const WebSocketWay& way, std::uint64_t before);
  loop::Task<void> pass(WebSocketWay& way, Chunk bytes);
  WebSocketWay& other(WebSocketWay& way) { return &way == &to_backend_ ? to_client_ : to_backend_; }
  Deadline deadline(const WebSocketWay& way) const;
  TimePoint patience(const WebSocketWay& way) const;
  bool goes_on(WebSocketWay& way, ErrorKind kind);
  bool is_over(const WebSocketWay& way) const;
  void look_after(WebSocketWay& way);
  void on_quiet(WebSocketWay& way);
  void ping(WebSocketWay& way);
  void on_both_closed();
  void on_refusal(WebSocketWay& way);
  void end_idle();
  void begin_closing();
  void break_both();
  void finish(WebSocketWay& way);
  static void wake(WebSocketWay& way);
  void on_timer(loop::Timer&) override;

  loop::Loop& loop_;
  const Settings settings_;
  WebSocketWay to_backend_;
  WebSocketWay to_client_;
  TimePoint moved_{};  // when bytes last passed, either way
  bool closing_ = false;
  bool expired_ = false;  // … and it took too long
  bool broken_ = false;
  // Of the first close frame, whoever sent it; 1005: it had no code (RFC 6455 §7.4.1).
  unsigned close_code_ = kNoClose;
  std::string_view error_code_;
  loop::Timer patience_{*this};
};

}  // namespace doorward::handler
