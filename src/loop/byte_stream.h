// ByteStream: an ordered stream of bytes in both directions with a deadline on every wait. A
// Socket is one; TLS over a Socket is another. Codecs see only this.
//
// Rules: one recv and one send may wait at a time (they may wait together). Bytes given to send
// stay untouched until it completes. recv hands out Chunks that share the loop's receive memory:
// hold few, not for long.
#pragma once

#include <coroutine>
#include <span>
#include <sys/uio.h>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/error.h"

namespace doorward::loop {

// Told when the peer ends or breaks the connection while nobody waits in recv.
class PeerWatch {
 public:
  // ErrorKind::closed: the peer sent FIN (it may still read); ErrorKind::reset: it is gone.
  virtual void on_peer_end(ErrorKind how) = 0;

 protected:
  ~PeerWatch() = default;
};

// When a send counts as stalled: the peer took less than `min_rate` bytes a second (at least one
// byte) over half of `timeout`. A slow peer that keeps up that rate is served to the end.
struct StallLimit {
  Duration timeout{};  // 0: no limit
  std::uint64_t min_rate = 0;
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Waits for bytes. An empty Chunk means the peer finished (FIN), for this and all later calls.
  auto recv(Deadline deadline) {
    struct Awaiter {
      ByteStream& stream;
      Deadline deadline;
      bool await_ready() { return stream.recv_ready(); }
      void await_suspend(std::coroutine_handle<> waiter) { stream.recv_wait(waiter, deadline); }
      Result<Chunk> await_resume() { return stream.recv_take(); }
    };
    return Awaiter{*this, deadline};
  }

  // Of every send from the next one on.
  void limit_stall(StallLimit limit) { stall_ = limit; }

  // Sends all of it, or fails: ErrorKind::timeout when it stalls or is not done by `deadline`. The
  // iovecs themselves may go once send is called (they are copied when they are kept); what they
  // point at must stay until it completes.
  auto send(std::span<const iovec> parts, Deadline deadline) {
    struct Awaiter {
      ByteStream& stream;
      std::span<const iovec> parts;
      Deadline deadline;
      bool await_ready() { return stream.send_now(parts); }
      void await_suspend(std::coroutine_handle<> waiter) { stream.send_wait(waiter, deadline); }
      Result<void> await_resume() { return stream.send_take(); }
    };
    return Awaiter{*this, parts, deadline};
  }

  // Are there received bytes (or an end) that recv would return without waiting?
  virtual bool recv_ready() = 0;

  // Wakes a waiting recv or send with ErrorKind::cancelled. Nothing happens when none waits.
  // A send that was cancelled leaves the stream unusable (part of it may be on the wire).
  virtual void cancel_recv() = 0;
  virtual void cancel_send() = 0;

  // Sends a few bytes if that can be done at once and no send is under way; else nothing happens.
  virtual void try_send(std::string_view bytes) = 0;
  // Is the connection broken, as far as the kernel knows by now? Tells it also after a FIN, when
  // the watch is told no more. Asks the kernel: not for the usual path.
  virtual bool broken() const = 0;

  // At most one watch; nullptr takes it away. If the end came before, it is told at once.
  virtual void watch_peer(PeerWatch* watch) = 0;

  // Sends FIN; receiving goes on.
  virtual void shutdown_send() = 0;
  // Ends both directions at once (RST where data is unread); waiters wake with `cancelled`.
  virtual void abort() = 0;

  // Bytes ever received and sent, for metrics and minimum data rates.
  std::uint64_t received() const { return received_; }
  std::uint64_t sent() const { return sent_; }
  // Of the bytes sent, how many the peer's kernel has acknowledged. Asks the kernel: not for the
  // usual path.
  virtual std::uint64_t acknowledged() const = 0;

 protected:
  virtual void recv_wait(std::coroutine_handle<> waiter, Deadline deadline) = 0;
  virtual Result<Chunk> recv_take() = 0;
  // Begins the send; true when it has completed (or failed) already.
  virtual bool send_now(std::span<const iovec> parts) = 0;
  virtual void send_wait(std::coroutine_handle<> waiter, Deadline deadline) = 0;
  virtual Result<void> send_take() = 0;

  StallLimit stall_;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace doorward::loop
