// Expectation: the client's `Expect: 100-continue` while it is passed on (RFC 9110 §10.1.1). The
// upload waits until the backend wants the body, or has not said so for a while; when the backend
// answers at once, no body is ever sent.
// Owner: an Exchange. One waits at most.
#pragma once

#include <coroutine>
#include <utility>

#include "loop/loop.h"
#include "loop/timer.h"

namespace doorward::exchange {

class Expectation final : loop::TimerTarget {
 public:
  // How long a backend that does not know `Expect` is waited for.
  static constexpr Duration kPatience{1'000};

  explicit Expectation(loop::Loop& loop) : loop_(loop) {}
  Expectation(const Expectation&) = delete;
  Expectation& operator=(const Expectation&) = delete;

  void pass_on() { passed_on_ = true; }
  bool passed_on() const { return passed_on_; }

  // True when the body may be sent; false when it is not wanted any more.
  auto wait() {
    struct Awaiter {
      Expectation& expectation;
      bool await_ready() const { return expectation.met_ || expectation.over_; }
      void await_suspend(std::coroutine_handle<> waiter) { expectation.begin(waiter); }
      bool await_resume() const { return !expectation.over_; }
    };
    return Awaiter{*this};
  }
  // The backend said 100.
  void meet() { end(met_); }
  // The exchange goes on without the body.
  void drop() { end(over_); }
  // … and asks another backend: for its own 100, unless the patience was over before.
  void renew() { over_ = false; }

 private:
  void begin(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    loop_.timers().arm(timer_, Deadline::after(loop_.now(), kPatience));
  }
  void end(bool& how) {
    how = true;
    if (!waiter_) return;
    loop_.timers().disarm(timer_);
    loop_.resume_later(std::exchange(waiter_, nullptr));
  }
  void on_timer(loop::Timer&) override { meet(); }

  loop::Loop& loop_;
  std::coroutine_handle<> waiter_;
  loop::Timer timer_{*this};
  bool passed_on_ = false;
  bool met_ = false;
  bool over_ = false;
};

}  // namespace doorward::exchange
