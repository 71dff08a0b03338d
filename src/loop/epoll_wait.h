// EpollWait: awaits that a descriptor becomes readable or writable, with a deadline.
// DescriptorWaits: the (at most two) waits for one descriptor; it is in epoll only while there
// are some, so that its owner may close it at any other time.
#pragma once

#include "loop/epoll_loop.h"

namespace doorward::loop {

class EpollWait final : private TimerTarget {
 public:
  EpollWait(EpollLoop& loop, int fd, bool for_writing, Deadline deadline)
      : loop_(loop), fd_(fd), for_writing_(for_writing), deadline_(deadline) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  int await_resume() const { return error_; }  // errno, 0 when it is ready

  // Its registration is gone already.
  void end(int error) {
    error_ = error;
    loop_.timers().disarm(timer_);
    loop_.resume_later(waiter_);
  }

 private:
  void on_timer(Timer&) override;

  EpollLoop& loop_;
  int fd_;
  bool for_writing_;
  Deadline deadline_;
  Timer timer_{*this};
  std::coroutine_handle<> waiter_;
  int error_ = 0;
};

class EpollLoop::DescriptorWaits final : public EpollTarget {
 public:
  DescriptorWaits(EpollLoop& loop, int fd) : loop_(loop), fd_(fd) {}

  void begin(EpollWait& wait, bool for_writing);
  // Ends the waits in these directions with `error`.
  void end(bool reading, bool writing, int error);

 private:
  void on_events(std::uint32_t events) override;
  void destroy() override { delete this; }
  void update();

  EpollLoop& loop_;
  int fd_;
  bool added_ = false;    // to epoll
  bool retired_ = false;  // out of the loop's table; freed at the end of the turn
  EpollWait* reader_ = nullptr;
  EpollWait* writer_ = nullptr;
};

}  // namespace doorward::loop
