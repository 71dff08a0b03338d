// UringOperation: awaits one operation of the kernel that ends with one completion, with a
// deadline. Lives in the coroutine that awaits it, and never leaves before its completion.
#pragma once

#include "loop/uring_loop.h"

namespace doorward::loop {

class UringOperation final : public Completion, private TimerTarget {
 public:
  UringOperation(UringLoop& loop, Deadline deadline) : loop_(loop), deadline_(deadline) {}

  // The entry to fill in before awaiting.
  io_uring_sqe& begin(std::uint8_t opcode, int fd) {
    fd_ = fd;
    return loop_.begin(opcode, fd, static_cast<Completion*>(this), UringRole::completion);
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    loop_.timers().arm(timer_, deadline_);
  }
  // The kernel's result; -ETIME after the deadline, -ECANCELED after cancel().
  int await_resume() const { return result_; }

  int fd() const { return fd_; }
  void cancel() { give_up(-ECANCELED); }

 private:
  void complete(int result, unsigned) override {
    const bool gave_up = given_up_ != 0;
    if (gave_up) loop_.leaving_ended();
    result_ = gave_up && result < 0 ? given_up_ : result;
    waiter_.resume();
  }
  void on_timer(Timer&) override { give_up(-ETIME); }
  void give_up(int result) {
    if (given_up_ != 0) return;
    given_up_ = result;
    loop_.leaving_began();
    loop_.cancel(static_cast<Completion*>(this), UringRole::completion);
  }

  UringLoop& loop_;
  Deadline deadline_;
  Timer timer_{*this};
  std::coroutine_handle<> waiter_;
  int fd_ = -1;
  int result_ = 0;
  int given_up_ = 0;
};

}  // namespace doorward::loop
