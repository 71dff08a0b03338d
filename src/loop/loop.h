// Loop: the event loop of one core, with a completion interface over io_uring or epoll. One
// thread makes it, runs it and touches what belongs to it; others only post() to it.
//
// Owner: a Core (or the control thread). Nothing here is a singleton.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "loop/address.h"
#include "loop/byte_stream.h"
#include "loop/task.h"

namespace doorward::loop {

enum class Backend : std::uint8_t { automatic, uring, epoll };

struct LoopOptions {
  Backend backend = Backend::automatic;
  std::uint32_t buffer_size = 16 * 1024;    // bytes of one receive buffer
  std::uint32_t buffer_count_max = 4096;    // receive buffers a core may ever hold
};

// What a Loop counts; read by the owner's thread only.
struct LoopCounters {
  std::uint64_t turns = 0;
  std::uint64_t completions = 0;
  std::uint64_t buffers_exhausted = 0;  // ENOBUFS
  std::uint64_t overflows = 0;          // completion queue overflows
};

class Socket;    // loop/socket.h: a ByteStream over a file descriptor
class Acceptor;  // loop/acceptor.h

class Loop {
 public:
  // Backend::uring fails with a clear sentence where the system refuses it; `automatic` takes
  // epoll then. `choice_reason()` says which was taken and why.
  static Result<std::unique_ptr<Loop>> create(LoopOptions options);
  virtual ~Loop() = default;

  virtual std::string_view name() const = 0;  // "io_uring" or "epoll"
  const std::string& choice_reason() const { return choice_reason_; }

  // Runs until stop(). Everything spawned must have ended before the Loop is destroyed.
  void run();
  void stop() { stopping_ = true; }

  // The time at the start of this turn; never older than a turn.
  TimePoint now() const { return now_; }
  WallTime wall_now() const { return wall_now_; }
  Random& random() { return random_; }

  // Connects; the Socket is ready to use. TCP_NODELAY is set.
  virtual Task<Result<std::unique_ptr<Socket>>> connect(Address to, Deadline deadline) = 0;
  // Takes over a connected descriptor.
  virtual std::unique_ptr<Socket> adopt(int fd) = 0;
  // Accepts from a listening descriptor (not owned) until the Acceptor is stopped. For each
  // connection `on_accept(fd, peer)` is called; it owns fd.
  virtual std::unique_ptr<Acceptor> accept(
      int listening_fd, std::function<void(Result<int> fd, const Address& peer)> on_accept) = 0;

  // Waits until `fd` is readable (and/or writable): signalfd, inotify, c-ares sockets.
  virtual Task<Result<void>> readable(int fd, Deadline deadline) = 0;
  virtual Task<Result<void>> writable(int fd, Deadline deadline) = 0;

  Task<void> sleep(Duration wait);

  // From any thread: run `work` on this loop's thread, in order of posting.
  void post(std::function<void()> work);

  const LoopCounters& counters() const { return counters_; }

 protected:
  LoopCounters counters_;
  TimePoint now_{};
  WallTime wall_now_{};
  bool stopping_ = false;
  std::string choice_reason_;
  Random random_;
};

}  // namespace doorward::loop
