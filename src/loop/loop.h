// Loop: the event loop of one core, with a completion interface over io_uring or epoll. One
// thread makes it, runs it and touches what belongs to it; others only post() to it.
//
// Owner: a Core (or the control thread). Nothing here is a singleton.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "loop/address.h"
#include "loop/byte_stream.h"
#include "loop/task.h"
#include "loop/timer.h"

namespace doorward::loop {

enum class Backend : std::uint8_t { automatic, uring, epoll };

struct LoopOptions {
  Backend backend = Backend::automatic;
  std::uint32_t buffer_size = 16 * 1024;  // bytes of one receive buffer
  std::uint32_t buffer_count_max = 4096;  // receive buffers a core may ever hold, <= 32,768
  // Larger buffers for bodies that arrive faster than one small buffer at a time.
  std::uint32_t bulk_buffer_size = 256 * 1024;
  std::uint32_t bulk_buffer_count_max = 32;
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

using OnAccept = std::function<void(Result<int> fd, const Address& peer)>;

class Loop {
 public:
  // Backend::uring fails with a clear sentence where the system refuses it; `automatic` takes
  // epoll then. `choice_reason()` says which was taken and why.
  static Result<std::unique_ptr<Loop>> create(LoopOptions options);
  virtual ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  virtual std::string_view name() const = 0;  // "io_uring" or "epoll"
  const std::string& choice_reason() const { return choice_reason_; }

  // Runs until stop() is called on this thread. Everything spawned must have ended before the
  // Loop is destroyed.
  void run();
  void stop() { stopping_ = true; }

  // The time at the start of this turn; never older than a turn.
  TimePoint now() const { return now_; }
  WallTime wall_now() const { return wall_now_; }
  Random& random() { return random_; }
  TimerWheel& timers() { return timers_; }

  // Connects; the Socket is ready to use. TCP_NODELAY is set.
  virtual Task<Result<std::unique_ptr<Socket>>> connect(Address to, Deadline deadline) = 0;
  // Takes over a connected descriptor.
  virtual std::unique_ptr<Socket> adopt(int fd) = 0;
  // Accepts from a listening descriptor (not owned) until the Acceptor is stopped. For each
  // connection `on_accept(fd, peer)` is called; it owns fd.
  virtual std::unique_ptr<Acceptor> accept(int listening_fd, OnAccept on_accept) = 0;

  // Waits until `fd` is readable (or writable): signalfd, inotify, c-ares sockets. One waiter for
  // each direction of a descriptor. Broken descriptors count as ready: the call on them tells why.
  virtual Task<Result<void>> readable(int fd, Deadline deadline) = 0;
  virtual Task<Result<void>> writable(int fd, Deadline deadline) = 0;
  // Wakes both waiters of `fd` with ErrorKind::cancelled; to be called before it is closed.
  virtual void cancel_waits(int fd) = 0;

  // Fires between `wait` and `wait` and a tick of the wheel later.
  Task<void> sleep(Duration wait);

  // From any thread: run `work` on this loop's thread, in order of posting.
  void post(std::function<void()> work);

  // Resumes `waiter` later in this turn, outside of whatever calls this.
  void resume_later(std::coroutine_handle<> waiter) { resumable_.push_back(waiter); }

  const LoopCounters& counters() const { return counters_; }

 protected:
  Loop();

  // Begins what is queued, waits until something completes or `until`, calls refresh_time() and
  // runs the completions. TimePoint::min() means not to wait, TimePoint::max() without limit.
  virtual void poll(TimePoint until) = 0;
  void turn();
  // For destructors: lets what has been cancelled come to its end.
  void turn_without_waiting();
  void refresh_time();
  int wake_fd() const { return wake_fd_; }
  void mail_has_come() { mail_waiting_ = true; }

  LoopCounters counters_;
  std::string choice_reason_;

 private:
  void run_resumable();
  void drain_mail();

  TimePoint now_{};
  WallTime wall_now_{};
  WallTime wall_read_{};
  TimePoint wall_read_at_{};
  bool stopping_ = false;
  bool mail_waiting_ = false;
  int wake_fd_ = -1;
  std::thread::id thread_ = std::this_thread::get_id();
  Random random_;
  TimerWheel timers_;
  std::vector<std::coroutine_handle<>> resumable_;
  std::vector<std::coroutine_handle<>> resuming_;

  std::mutex mail_mutex_;
  std::vector<std::function<void()>> mail_;
};

}  // namespace doorward::loop
