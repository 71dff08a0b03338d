// Wait: one waiter with a deadline, as every half of a stream has it. Waking only queues the
// coroutine (Loop::resume_later), so that it never runs inside of a callback of nghttp2.
// Owner: what it is a member of; nobody may be waiting when that goes.
#pragma once

#include <coroutine>
#include <utility>

#include "base/check.h"
#include "loop/loop.h"
#include "loop/timer.h"

namespace doorward::codec::h2 {

enum class Woken : std::uint8_t { ready, timeout, cancelled };

class Wait final : loop::TimerTarget {
 public:
  explicit Wait(loop::Loop& loop) : loop_(loop) {}
  ~Wait() { DOORWARD_CHECK(!waiter_); }

  bool waiting() const { return static_cast<bool>(waiter_); }

  auto until(Deadline deadline) {
    struct Awaiter {
      Wait& wait;
      Deadline deadline;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) { wait.begin(waiter, deadline); }
      Woken await_resume() const { return wait.how_; }
    };
    return Awaiter{*this, deadline};
  }

  // Of somebody else's waiter, e.g. that of a ByteStream.
  void begin(std::coroutine_handle<> waiter, Deadline deadline) {
    waiter_ = waiter;
    if (!deadline.is_never()) loop_.timers().arm(timer_, deadline);
  }
  Woken how() const { return how_; }

  // Nothing happens when nobody waits.
  void wake(Woken how = Woken::ready) {
    if (!waiter_) return;
    loop_.timers().disarm(timer_);
    how_ = how;
    loop_.resume_later(std::exchange(waiter_, nullptr));
  }

 private:
  void on_timer(loop::Timer&) override { wake(Woken::timeout); }

  loop::Loop& loop_;
  std::coroutine_handle<> waiter_ = nullptr;
  Woken how_ = Woken::ready;
  loop::Timer timer_{*this};
};

}  // namespace doorward::codec::h2
