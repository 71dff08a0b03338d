#include "loop/epoll_loop.h"

#include <cerrno>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "loop/descriptor.h"
#include "loop/epoll_acceptor.h"
#include "loop/epoll_socket.h"
#include "loop/epoll_wait.h"

namespace doorward::loop {

Result<std::unique_ptr<Loop>> create_epoll_loop(const LoopOptions& options, std::string reason) {
  auto loop = std::make_unique<EpollLoop>(options, std::move(reason));
  if (auto ready = loop->set_up(); !ready) return Failure(std::move(ready.error()));
  return loop;
}

EpollLoop::EpollLoop(const LoopOptions& options, std::string reason)
    : small_(options.buffer_size, options.buffer_count_max),
      bulk_(options.bulk_buffer_size, options.bulk_buffer_count_max) {
  choice_reason_ = std::move(reason);
}

EpollLoop::~EpollLoop() {
  if (epoll_ < 0) return;
  while (!leaving_.empty()) turn_without_waiting();
  close(epoll_);
}

Result<void> EpollLoop::set_up() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return system_failure(errno, "open an epoll descriptor");
  if (const int error = add(wake_fd(), EPOLLIN, wake_); error != 0) {
    return system_failure(error, "watch a descriptor with epoll");
  }
  return {};
}

int EpollLoop::add(int fd, std::uint32_t events, EpollTarget& target) {
  epoll_event event{.events = events, .data = {.ptr = &target}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int EpollLoop::change(int fd, std::uint32_t events, EpollTarget& target) {
  epoll_event event{.events = events, .data = {.ptr = &target}};
  return epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : errno;
}

void EpollLoop::remove(int fd) { epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

Buffer* EpollLoop::buffer(bool bulk) {
  Buffer* larger = bulk ? bulk_.take() : nullptr;
  return larger != nullptr ? larger : small_.take();
}

void EpollLoop::poll(TimePoint until) {
  int wait_ms = -1;
  if (!readers_.empty() && has_buffer()) {
    wait_ms = 0;
  } else if (until == TimePoint::min()) {
    wait_ms = 0;
  } else if (until != TimePoint::max()) {
    const auto wait = std::chrono::ceil<Duration>(until - std::chrono::steady_clock::now());
    wait_ms = static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 1'000'000));
  }
  const int count = epoll_wait(epoll_, events_.data(), kEventsPerTurn, wait_ms);
  DOORWARD_CHECK(count >= 0 || errno == EINTR);
  refresh_time();
  for (int i = 0; i < count; ++i) {
    const epoll_event event = events_[static_cast<std::size_t>(i)];
    static_cast<EpollTarget*>(event.data.ptr)->on_events(event.events);
  }
  counters_.completions += static_cast<std::uint64_t>(std::max(count, 0));
  run_readers();
  destroy_leaving();
}

// Those that asked for another read, in order of asking, while there are buffers. Who asks again
// meanwhile waits for the next turn.
void EpollLoop::run_readers() {
  for (std::size_t left = readers_.size(); left > 0 && !readers_.empty() && has_buffer(); --left) {
    EpollSocket& socket = *readers_.front();
    readers_.pop_front();
    socket.read_again();
  }
}

void EpollLoop::destroy_leaving() {
  std::vector<EpollTarget*> leaving;
  leaving.swap(leaving_);
  for (EpollTarget* target : leaving) target->destroy();
}

Task<Result<std::unique_ptr<Socket>>> EpollLoop::connect(Address to, Deadline deadline) {
  auto fd = open_stream(to);
  if (!fd) co_return Failure(std::move(fd.error()));
  set_blocking(*fd, false);
  int error = ::connect(*fd, to.raw(), to.size()) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    error = co_await EpollWait(*this, *fd, true, deadline);
    socklen_t size = sizeof error;
    if (error == 0) getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) co_return adopt(*fd);
  close(*fd);
  co_return connect_failure(to, error);
}

std::unique_ptr<Socket> EpollLoop::adopt(int fd) {
  set_blocking(fd, false);
  return std::make_unique<EpollSocket>(*this, fd);
}

std::unique_ptr<Acceptor> EpollLoop::accept(int listening_fd, OnAccept on_accept) {
  set_blocking(listening_fd, false);
  set_no_delay(listening_fd);  // what is accepted inherits it
  return std::make_unique<EpollAcceptor>(*this, listening_fd, std::move(on_accept));
}

EpollLoop::DescriptorWaits& EpollLoop::waits_of(int fd) {
  DescriptorWaits*& waits = waits_[fd];
  if (waits == nullptr) waits = new DescriptorWaits(*this, fd);
  return *waits;
}

Task<Result<void>> EpollLoop::readable(int fd, Deadline deadline) {
  return wait_for(fd, false, deadline);
}

Task<Result<void>> EpollLoop::writable(int fd, Deadline deadline) {
  return wait_for(fd, true, deadline);
}

Task<Result<void>> EpollLoop::wait_for(int fd, bool for_writing, Deadline deadline) {
  const int error = co_await EpollWait(*this, fd, for_writing, deadline);
  if (error == 0) co_return Result<void>();
  co_return system_failure(error, fmt::format("wait for descriptor {}", fd));
}

void EpollLoop::cancel_waits(int fd) {
  if (const auto found = waits_.find(fd); found != waits_.end()) {
    found->second->end(true, true, ECANCELED);
  }
}

void EpollLoop::Wake::on_events(std::uint32_t) {
  std::uint64_t count = 0;
  DOORWARD_CHECK(read(loop_.wake_fd(), &count, sizeof count) == sizeof count);
  loop_.mail_has_come();
}

}  // namespace doorward::loop
