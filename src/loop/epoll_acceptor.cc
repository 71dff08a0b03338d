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
    if (!stopped_) loop_.remove(fd_);
    stopped_ = true;
    loop_.timers().disarm(pause_);
  }

  void destroy() override { delete this; }

 private:
  static constexpr int kAcceptsPerTurn = 64;

  void on_events(std::uint32_t) override {
    for (int i = 0; i < kAcceptsPerTurn && !stopped_ && !pause_.is_armed(); ++i) {
      sockaddr_storage raw{};
      socklen_t size = sizeof raw;
      const int fd =
          accept4(fd_, reinterpret_cast<sockaddr*>(&raw), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd >= 0) {
        on_accept_(fd, Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size));
      } else if (errno != EINTR && errno != ECONNABORTED) {
        if (errno != EAGAIN) fail_for_now(errno);
        return;
      }
    }
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
  bool stopped_ = false;
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
  operation_->stop();
  return {};
}

}  // namespace doorward::loop
