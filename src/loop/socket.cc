#include "loop/socket.h"

#include <cerrno>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/check.h"
#include "loop/acceptor.h"

namespace doorward::loop {
namespace {

// <linux/tcp.h> has tcp_info in full, but the states are only in <netinet/tcp.h>; both exclude
// each other. TCP_CLOSE, in the kernel's and glibc's headers alike.
constexpr std::uint8_t kTcpClosed = 7;

}  // namespace

Address Socket::peer() const { return peer_of(fd_); }

Address Socket::local() const {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return {};
  return Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size);
}

bool Socket::recv_ready() { return !queue_.empty() || receive_end_ != End::open || pull(); }

void Socket::recv_wait(std::coroutine_handle<> waiter, Deadline deadline) {
  DOORWARD_CHECK(!receiver_);
  receiver_ = waiter;
  recv_deadline_ = deadline;
  loop_.timers().arm(timer_, sender_ ? deadline.earlier(send_check_) : deadline);
}

Result<Chunk> Socket::recv_take() {
  const End stop = std::exchange(receive_stop_, End::open);
  if (!queue_.empty()) {
    Chunk chunk = queue_.pop().chunk();
    on_taken();
    return chunk;
  }
  if (receive_end_ == End::finished) return Chunk();
  if (receive_end_ != End::open) return failure(receive_end_, error_, "receive");
  return failure(stop, 0, "receive");
}

void Socket::send_wait(std::coroutine_handle<> waiter, Deadline deadline) {
  DOORWARD_CHECK(!sender_);
  sender_ = waiter;
  send_deadline_ = deadline;
  send_check_ = next_send_check(loop_.now());
  send_marked_ = false;
  loop_.timers().arm(timer_, receiver_ ? send_check_.earlier(recv_deadline_) : send_check_);
}

Deadline Socket::next_send_check(TimePoint now) const {
  if (stall_.timeout.count() == 0) return send_deadline_;
  return Deadline::after(now, stall_.timeout / 2).earlier(send_deadline_);
}

// Twice in the stall limit's time it is seen how much the peer took meanwhile.
void Socket::check_sending(TimePoint now) {
  if (!send_deadline_.passed(now)) {
    const std::uint64_t taken = acknowledged();
    const auto window_ms = static_cast<std::uint64_t>(stall_.timeout.count()) / 2;
    const std::uint64_t due = std::max<std::uint64_t>(1, stall_.min_rate * window_ms / 1000);
    if (!std::exchange(send_marked_, true) || taken >= send_mark_ + due) {
      send_mark_ = taken;
      send_check_ = next_send_check(now);
      return;
    }
  }
  send_check_ = Deadline::never();
  stop_send(End::timeout);
}

Result<void> Socket::send_take() {
  if (send_end_ == End::open) return {};
  return failure(send_end_, send_error_, "send");
}

Failure Socket::failure(End end, int error, std::string_view what) const {
  switch (end) {
    case End::timeout:
      return fail(ErrorKind::timeout, fmt::format("{}: timed out", what));
    case End::broken:
      return system_failure(error, what);
    default:
      return fail(ErrorKind::cancelled, fmt::format("{}: cancelled", what));
  }
}

void Socket::on_timer(Timer&) {
  const TimePoint now = loop_.now();
  if (receiver_ && recv_deadline_.passed(now)) {
    receive_stop_ = End::timeout;
    loop_.resume_later(std::exchange(receiver_, nullptr));
  }
  if (sender_ && sending_ && send_check_.passed(now)) check_sending(now);
  if (receiver_) loop_.timers().arm(timer_, recv_deadline_);
  if (sender_) {
    loop_.timers().arm(timer_, receiver_ ? send_check_.earlier(recv_deadline_) : send_check_);
  }
}

void Socket::cancel_recv() {
  if (!receiver_) return;
  receive_stop_ = End::cancelled;
  loop_.resume_later(std::exchange(receiver_, nullptr));
}

void Socket::cancel_send() {
  if (sending_) stop_send(End::cancelled);
}

void Socket::try_send(std::string_view bytes) {
  if (sending_ || send_end_ != End::open || bytes.empty()) return;
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    send_end_ = End::broken;
    send_error_ = errno;
  }
  if (sent <= 0) return;
  sent_ += static_cast<std::uint64_t>(sent);
  if (static_cast<std::size_t>(sent) < bytes.size()) {  // the rest is lost: nothing may follow
    send_end_ = End::broken;
    send_error_ = EPIPE;
  }
}

bool Socket::broken() const {
  if (send_end_ == End::broken || peer_end() == End::broken) return true;
  tcp_info info{};
  socklen_t size = sizeof info;
  return getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == kTcpClosed;
}

std::uint64_t Socket::acknowledged() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    // Of a connection that began here, the SYN counts as one.
    return info.tcpi_bytes_acked - std::min<std::uint64_t>(info.tcpi_bytes_acked, 1);
  }
  int queued = 0;
  if (ioctl(fd_, SIOCOUTQ, &queued) != 0 || queued < 0) return sent_;
  return sent_ - std::min(sent_, static_cast<std::uint64_t>(queued));
}

void Socket::watch_peer(PeerWatch* watch) {
  watch_ = watch;
  tell_watch();
}

void Socket::shutdown_send() { shutdown(fd_, SHUT_WR); }

void Socket::abort() {
  if (receive_end_ == End::cancelled) return;
  receive_end_ = End::cancelled;
  queue_.clear();
  cancel_send();
  if (send_end_ == End::open) send_end_ = End::cancelled;
  shutdown(fd_, SHUT_RDWR);
  cancel_recv();
}

void Socket::peer_finished() {
  if (receive_end_ != End::open) return;
  receive_end_ = End::finished;
  wake_receiver();
}

void Socket::peer_broke(int error) {
  if (receive_end_ == End::broken || receive_end_ == End::cancelled) return;
  receive_end_ = End::broken;
  error_ = error;
  wake_receiver();
}

void Socket::wake_receiver() {
  if (receiver_) return std::exchange(receiver_, nullptr).resume();
  tell_watch();
}

void Socket::tell_watch() {
  const End end = peer_end();
  if (watch_ == nullptr || (end != End::finished && end != End::broken)) return;
  const ErrorKind how = end == End::finished ? ErrorKind::closed : ErrorKind::reset;
  std::exchange(watch_, nullptr)->on_peer_end(how);
}

void Socket::wake_sender_later() {
  if (sender_) loop_.resume_later(std::exchange(sender_, nullptr));
}

void Socket::let_go() {
  DOORWARD_CHECK(!receiver_ && !sender_);
  released_ = true;
  watch_ = nullptr;
  queue_.clear();
  loop_.timers().disarm(timer_);
}

}  // namespace doorward::loop
