// Session: an HTTP/2 connection without regard to its side: an nghttp2 session between a ByteStream
// and Channels. Bytes go in as they were received; frames come out into an Output, and all that the
// streams produced in one turn of the loop leaves with one send.
//
// Subtle: the engine's callbacks (session_callbacks.cc) run inside of feed() and pack(). They only
// note and queue; whatever may run foreign code waits until they have returned. A connection that
// misbehaved ends in one way, end_with(): a GOAWAY written by hand, since the engine may be beyond
// use, and every Channel is told.
// Owner: ServerConnection or ClientConnection, of which it is the base.
#pragma once

#include <memory>
#include <nghttp2/nghttp2.h>
#include <span>
#include <string>

#include "base/chunk.h"
#include "codec/h2/closed_streams.h"
#include "codec/h2/frame_place.h"
#include "codec/h2/guard.h"
#include "codec/h2/output.h"
#include "codec/h2/session_settings.h"
#include "loop/byte_stream.h"
#include "loop/loop.h"

namespace doorward::codec::h2 {

class Channel;

// What Session::end_reason() can be, for metrics.
std::span<const std::string_view> end_reasons();
// The place of one among them; their number for any other.
unsigned number_of_end_reason(std::string_view reason);

class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // For Channels.
  loop::Loop& loop() { return loop_; }
  nghttp2_session* engine() const { return engine_.get(); }
  Side peer() const { return peer_; }
  bool dead() const { return dead_; }
  void link(Channel& channel);
  void unlink(Channel& channel);
  // Takes frames from the engine as far as the output has room; they leave at the turn's end.
  void pack();
  // … and takes them only then.
  void pack_later();
  void consume(std::int32_t stream, std::size_t size);
  bool output_full() const { return output_.size() >= settings_.output_bytes; }
  bool abused(Abuse kind);
  std::size_t& held_pieces() { return held_pieces_; }
  void stream_completed() { guard_.completed(); }
  // Watches of Channels are to be told, once no callback runs.
  void tell_later() { to_tell_ = true; }
  // Bytes that were ever packed: where the next frame begins in what the peer receives.
  std::uint64_t packed() const { return packed_; }
  loop::ByteStream& transport() { return bytes_; }

  // Why it ended, for logs and metrics: one of end_reasons(); empty when it ended in order.
  std::string_view end_reason() const { return end_reason_; }
  // … and which rule the peer broke, or where it left, for people; may be empty.
  const std::string& end_detail() const { return end_detail_; }
  Abuse abuse() const { return abuse_; }

 protected:
  enum class Role : std::uint8_t { server, client };
  Session(loop::Loop& loop, loop::ByteStream& bytes, Role role, const SessionSettings& settings);
  ~Session();

  // Sends SETTINGS and opens the connection's window.
  void start(std::uint32_t header_list_bytes);
  void feed(Chunk chunk);
  // Nothing more is to be received or sent by HTTP/2's rules.
  bool finished() const;
  // Ends the connection with GOAWAY; channels fail with `why`.
  void end_with(std::uint32_t code, std::string_view reason, const Error& why);
  // "the backend broke HTTP/2", and how.
  std::string broken_rule() const;
  // … and end_detail() is what `why` says.
  void end_telling(std::uint32_t code, std::string_view reason, const Error& why);
  // The transport is gone.
  void lose(std::string_view reason, const Error& why);
  // Waits until what is packed has been sent or is lost.
  loop::Task<void> flushed();
  // FIN, then swallows what comes for a moment, so that no RST overtakes the last bytes.
  loop::Task<void> linger();
  // Receives until it is finished or lost; true when it ended by HTTP/2's rules.
  loop::Task<bool> receive();
  std::size_t channels() const { return channel_count_; }

  // What is received first, before the engine gets it.
  virtual void on_first_bytes(std::string_view) {}
  // From callbacks: note only.
  virtual Channel* on_request_begins(std::int32_t stream) = 0;
  virtual void on_peer_settings() = 0;
  virtual void on_goaway() = 0;
  virtual void on_ping_answered() = 0;
  // RST_STREAM was received, or is packed.
  virtual void on_reset([[maybe_unused]] bool by_peer, [[maybe_unused]] std::uint32_t code) {}
  // After feed(): foreign code may run.
  virtual void after_input() = 0;
  // The last Channel's end, or the connection's: whoever waits in recv should look.
  virtual void on_quiet() = 0;

  loop::Loop& loop_;
  loop::ByteStream& bytes_;
  const SessionSettings settings_;

 private:
  friend struct Callbacks;
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  void stream_over(std::int32_t stream, bool peer_ended) {
    closed_.add(stream, !peer_ended);
    guard_.stream_over(peer_ended);
  }
  void fail_channels(const Error& why);
  void tell_watches();
  void engine_failed(ssize_t code);
  void write_goaway(std::uint32_t code);
  void note_head(const nghttp2_frame_hd& head);
  void note_why(const nghttp2_goaway& sent);
  Error why_lost(const Result<Chunk>& got);
  std::size_t open_channels() const;
  std::string_view lost_reason(const Result<Chunk>& got) const;
  std::string_view reset_reason() const;
  loop::Task<void> flush();
  bool gathers(int turns, std::uint64_t seen) const;
  auto next_turn() {
    struct Awaiter {
      loop::Loop& loop;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) { loop.resume_later(waiter); }
      void await_resume() const {}
    };
    return Awaiter{loop_};
  }

  const Side peer_;
  std::unique_ptr<nghttp2_session, Delete> engine_;
  Guard guard_;
  ClosedStreams closed_;
  FramePlace place_;
  std::uint64_t content_due_ = 0;   // bytes of DATA frames that the engine has not told of
  std::int32_t reset_head_ = -1;    // the last stream that the peer reset, as its frames' heads say
  std::int32_t reset_by_peer_ = 0;  // … and as the engine says
  std::uint32_t violation_ = NGHTTP2_NO_ERROR;  // a connection error that a callback found
  Channel* channels_ = nullptr;
  std::size_t channel_count_ = 0;
  Chunk input_;     // what the engine is being fed with
  Output output_;   // is being filled
  Output sending_;  // is being sent
  loop::Gate flushes_;
  std::string_view end_reason_;
  std::string end_detail_;
  Abuse abuse_ = Abuse::none;
  std::uint64_t packed_ = 0;
  std::size_t held_pieces_ = 0;
  bool to_tell_ = false;
  bool flushing_ = false;
  bool in_engine_ = false;
  bool fed_ = false;  // something was received
  bool dead_ = false;
};

}  // namespace doorward::codec::h2
