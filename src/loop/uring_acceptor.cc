#include "loop/uring_acceptor.h"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace doorward::loop {

class UringAcceptor::Operation final : public Completion, private TimerTarget {
 public:
  Operation(UringLoop& loop, int listening_fd, OnAccept on_accept)
      : loop_(loop), fd_(listening_fd), on_accept_(std::move(on_accept)) {
    accept();
  }

  // `quiet`: what was accepted already is not told.
  void stop(bool quiet) {
    quiet_ = quiet_ || quiet;
    if (stopping_) return;
    stopping_ = true;
    loop_.timers().disarm(pause_);
    if (pending_) loop_.cancel(static_cast<Completion*>(this), UringRole::completion);
  }

  // The handle is gone.
  void abandon() {
    stop(true);
    abandoned_ = true;
    loop_.leaving_began();
    leave_when_idle();
  }

  // What came into the queue since the kernel stopped to accept from it.
  void tell_queued() {
    in_callback_ = true;
    for (int left = kQueueMax; left > 0 && !quiet_; --left) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        on_accept_(fd, peer_of(fd));
      } else if (errno != EINTR && errno != ECONNABORTED) {
        tell_failure(errno);
        break;
      }
    }
    in_callback_ = false;
    quiet_ = true;
    leave_when_idle();
  }

  auto ended() {
    struct Awaiter {
      Operation& operation;
      bool await_ready() const { return !operation.pending_; }
      void await_suspend(std::coroutine_handle<> waiter) { operation.drainer_ = waiter; }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }

 private:
  void accept() {
    io_uring_sqe& entry =
        loop_.begin(IORING_OP_ACCEPT, fd_, static_cast<Completion*>(this), UringRole::completion);
    entry.ioprio |= IORING_ACCEPT_MULTISHOT;
    entry.accept_flags = SOCK_CLOEXEC;
    pending_ = true;
  }

  // Older kernels do not wait on a descriptor that is non-blocking: accept ends with EAGAIN there.
  void await_one() {
    loop_.begin(IORING_OP_POLL_ADD, fd_, static_cast<Completion*>(this), UringRole::completion)
        .poll32_events = POLLIN;
    pending_ = polling_ = true;
  }

  void complete(int result, unsigned flags) override {
    pending_ = (flags & IORING_CQE_F_MORE) != 0;
    const bool polled = std::exchange(polling_, false);
    in_callback_ = true;
    if (!polled) tell(result);
    in_callback_ = false;
    if (!pending_ && !stopping_ && !pause_.is_armed()) {
      if (result == -EAGAIN && !polled) {
        await_one();
      } else {
        accept();
      }
    }
    if (!pending_ && drainer_) loop_.resume_later(std::exchange(drainer_, nullptr));
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
    if (!stopping_ && !pending_) accept();
  }

  void leave_when_idle() {
    if (!abandoned_ || pending_ || in_callback_) return;
    loop_.leaving_ended();
    delete this;
  }

  UringLoop& loop_;
  int fd_;
  OnAccept on_accept_;
  bool pending_ = false;  // an accept or a poll
  bool polling_ = false;
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
  operation_->tell_queued();
}

}  // namespace doorward::loop
