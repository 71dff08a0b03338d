#include "loop/epoll_acceptor.h"

#include <cerrno>

namespace doorward::loop {

class EpollAcceptor::Operation final : public EpollTarget, private TimerTarget {
 public:
  Operation(EpollLoop& loop, int listening_fd, OnAccept on_accept)
      : loop_(loop), fd_(listening_fd), on_accept_(std::move(on_accept)) {
    const int error = loop_.add(fd_, EPOLLIN, *this);
    stopped_ = error != 0;
    if (error != 0) on_accept_(system_failure(error, "accept"), {});
  }

  void stop() {
    quiet_ = true;
    hear_no_more();
  }

  void drain() {
    hear_no_more();
    for (int left = kQueueMax; left > 0 && !quiet_ && accept_one(); --left) {
    }
    stop();
  }

  void destroy() override { delete this; }

 private:
  static constexpr int kAcceptsPerTurn = 64;

  void hear_no_more() {
    if (!stopped_) loop_.remove(fd_);
    stopped_ = true;
    loop_.timers().disarm(pause_);
  }

  void on_events(std::uint32_t) override {
    if (pause_.is_armed()) return;
    for (int left = kAcceptsPerTurn; left > 0 && !stopped_ && accept_one(); --left) {
    }
  }

  // False when nobody waits, or there is no descriptor for who does.
  bool accept_one() {
    sockaddr_storage raw{};
    socklen_t size = sizeof raw;
    const int fd =
        accept4(fd_, reinterpret_cast<sockaddr*>(&raw), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      on_accept_(fd, Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size));
      return true;
    }
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno != EAGAIN) fail_for_now(errno);
    return false;
  }

  void fail_for_now(int error) {
    loop_.change(fd_, 0, *this);
    loop_.timers().arm(pause_, Deadline::after(loop_.now(), AcceptFailures::kPause));
    if (failures_.is_to_be_told(loop_.now())) on_accept_(system_failure(error, "accept"), {});
  }

  void on_timer(Timer&) override {
    if (!stopped_) loop_.change(fd_, EPOLLIN, *this);
  }

  EpollLoop& loop_;
  int fd_;
  OnAccept on_accept_;
  bool stopped_ = false;  // no longer in epoll
  bool quiet_ = false;    // nothing is told any more
  Timer pause_{*this};
  AcceptFailures failures_;
};

EpollAcceptor::EpollAcceptor(EpollLoop& loop, int listening_fd, OnAccept on_accept)
    : operation_(new Operation(loop, listening_fd, std::move(on_accept))), loop_(loop) {}

EpollAcceptor::~EpollAcceptor() {
  operation_->stop();
  loop_.destroy_later(*operation_);
}

void EpollAcceptor::stop() { operation_->stop(); }

Task<void> EpollAcceptor::drain() {
  operation_->drain();
  return {};
}

}  // namespace doorward::loop
