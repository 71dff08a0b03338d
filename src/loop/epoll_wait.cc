#include "loop/epoll_wait.h"

#include <cerrno>

#include "base/check.h"

namespace doorward::loop {

void EpollWait::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  loop_.timers().arm(timer_, deadline_);
  loop_.waits_of(fd_).begin(*this, for_writing_);
}

void EpollWait::on_timer(Timer&) {
  loop_.waits_of(fd_).end(!for_writing_, for_writing_, ETIMEDOUT);
}

void EpollLoop::DescriptorWaits::begin(EpollWait& wait, bool for_writing) {
  EpollWait*& place = for_writing ? writer_ : reader_;
  DOORWARD_CHECK(place == nullptr);
  place = &wait;
  update();
}

void EpollLoop::DescriptorWaits::end(bool reading, bool writing, int error) {
  EpollWait* reader = reading ? std::exchange(reader_, nullptr) : nullptr;
  EpollWait* writer = writing ? std::exchange(writer_, nullptr) : nullptr;
  if (reader != nullptr) reader->end(error);
  if (writer != nullptr) writer->end(error);
  update();
}

void EpollLoop::DescriptorWaits::on_events(std::uint32_t events) {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  end(broken || (events & EPOLLIN) != 0, broken || (events & EPOLLOUT) != 0, 0);
}

void EpollLoop::DescriptorWaits::update() {
  if (reader_ == nullptr && writer_ == nullptr) {
    if (std::exchange(retired_, true)) return;
    if (added_) loop_.remove(fd_);
    loop_.waits_.erase(fd_);
    loop_.destroy_later(*this);
    return;
  }
  const std::uint32_t events =
      (reader_ != nullptr ? EPOLLIN : 0u) | (writer_ != nullptr ? EPOLLOUT : 0u);
  const int error = added_ ? loop_.change(fd_, events, *this) : loop_.add(fd_, events, *this);
  added_ = added_ || error == 0;
  if (error != 0) end(true, true, error);
}

}  // namespace doorward::loop
