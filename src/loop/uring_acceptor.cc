#include "loop/uring_acceptor.h"

#include <cerrno>
#include <unistd.h>

namespace doorward::loop {

class UringAcceptor::Operation final : public Completion, private TimerTarget {
 public:
  Operation(UringLoop& loop, int listening_fd, OnAccept on_accept)
      : loop_(loop), fd_(listening_fd), on_accept_(std::move(on_accept)) {
    arm();
  }

  // `quiet`: what was accepted already is not told.
  void stop(bool quiet) {
    quiet_ = quiet_ || quiet;
    if (stopping_) return;
    stopping_ = true;
    loop_.timers().disarm(pause_);
    if (accepting_) loop_.cancel(static_cast<Completion*>(this), UringRole::completion);
  }

  // The handle is gone.
  void abandon() {
    stop(true);
    abandoned_ = true;
    loop_.leaving_began();
    leave_when_idle();
  }

  auto ended() {
    struct Awaiter {
      Operation& operation;
      bool await_ready() const { return !operation.accepting_; }
      void await_suspend(std::coroutine_handle<> waiter) { operation.drainer_ = waiter; }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }

 private:
  void arm() {
    io_uring_sqe& entry =
        loop_.begin(IORING_OP_ACCEPT, fd_, static_cast<Completion*>(this), UringRole::completion);
    entry.ioprio |= IORING_ACCEPT_MULTISHOT;
    entry.accept_flags = SOCK_CLOEXEC;
    accepting_ = true;
  }

  void complete(int result, unsigned flags) override {
    accepting_ = (flags & IORING_CQE_F_MORE) != 0;
    in_callback_ = true;
    tell(result);
    in_callback_ = false;
    if (!accepting_ && !stopping_ && !pause_.is_armed()) arm();
    if (!accepting_ && drainer_) loop_.resume_later(std::exchange(drainer_, nullptr));
    leave_when_idle();
  }

  void tell(int result) {
    if (quiet_) {
      if (result >= 0) close(result);
    } else if (result >= 0) {
      on_accept_(result, peer_of(result));
    } else if (!stopping_) {
      tell_failure(-result);
    }
  }

  void tell_failure(int error) {
    if (error == EINTR || error == EAGAIN || error == ECONNABORTED) return;
    loop_.timers().arm(pause_, Deadline::after(loop_.now(), AcceptFailures::kPause));
    if (failures_.is_to_be_told(loop_.now())) on_accept_(system_failure(error, "accept"), {});
  }

  void on_timer(Timer&) override {
    if (!stopping_ && !accepting_) arm();
  }

  void leave_when_idle() {
    if (!abandoned_ || accepting_ || in_callback_) return;
    loop_.leaving_ended();
    delete this;
  }

  UringLoop& loop_;
  int fd_;
  OnAccept on_accept_;
  bool accepting_ = false;
  bool stopping_ = false;
  bool quiet_ = false;
  bool abandoned_ = false;
  bool in_callback_ = false;
  std::coroutine_handle<> drainer_;
  Timer pause_{*this};
  AcceptFailures failures_;
};

UringAcceptor::UringAcceptor(UringLoop& loop, int listening_fd, OnAccept on_accept)
    : operation_(new Operation(loop, listening_fd, std::move(on_accept))) {}

UringAcceptor::~UringAcceptor() { operation_->abandon(); }

void UringAcceptor::stop() { operation_->stop(true); }

Task<void> UringAcceptor::drain() {
  operation_->stop(false);
  co_await operation_->ended();
}

}  // namespace doorward::loop
