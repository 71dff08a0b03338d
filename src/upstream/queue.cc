#include "upstream/queue.h"

#include <algorithm>

#include "base/check.h"

namespace doorward::upstream {

void Place::give_back() {
  if (connection != nullptr) return endpoint->pool().give(std::move(connection));
  endpoint->pool().release(alone);
}

Waiter::~Waiter() { DOORWARD_CHECK(queue_ == nullptr); }

void Waiter::cancel() {
  if (queue_ != nullptr) end(fail(ErrorKind::cancelled, "the wait for a connection was given up"));
}

void Waiter::on_timer(loop::Timer&) {
  end(fail(ErrorKind::timeout, "no connection became free in time"));
}

void Waiter::end(Result<Place> outcome) {
  Queue& queue = *std::exchange(queue_, nullptr);
  queue.waiting_.erase(std::ranges::find(queue.waiting_, this));
  queue.loop_.timers().disarm(timer_);
  outcome_ = std::move(outcome);
  queue.loop_.resume_later(handle_);
}

void Queue::add(Waiter& waiter, std::coroutine_handle<> handle, Deadline deadline) {
  waiter.queue_ = this;
  waiter.handle_ = handle;
  waiting_.push_back(&waiter);
  loop_.timers().arm(waiter.timer_, deadline);
}

void Queue::fail_all(const Error& why) {
  while (!waiting_.empty()) waiting_.front()->end(Failure(why));
}

}  // namespace doorward::upstream
