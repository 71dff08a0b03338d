// Queue: who waits for an endpoint of a service. First come, first served; each wait has a
// deadline and may be given up.
// Owner: a Service. One thread only.
#pragma once

#include <coroutine>
#include <deque>
#include <optional>

#include "loop/loop.h"
#include "loop/timer.h"
#include "upstream/endpoint.h"

namespace doorward::upstream {

class Queue;

// One place in a queue. Owner: the coroutine that waits; it stays where it is meanwhile.
class Waiter final : loop::TimerTarget {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter();

  // Wakes it with ErrorKind::cancelled, if it waits.
  void cancel();

 private:
  friend class Queue;
  void end(Result<EndpointRef> outcome);
  void on_timer(loop::Timer&) override;

  Queue* queue_ = nullptr;  // null: it does not wait
  std::coroutine_handle<> handle_;
  std::optional<Result<EndpointRef>> outcome_;
  loop::Timer timer_{*this};
};

class Queue {
 public:
  explicit Queue(loop::Loop& loop) : loop_(loop) {}

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

  // Waits until it is served, ErrorKind::timeout or ErrorKind::cancelled.
  auto wait(Waiter& waiter, Deadline deadline) {
    struct Awaiter {
      Queue& queue;
      Waiter& waiter;
      Deadline deadline;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) { queue.add(waiter, handle, deadline); }
      Result<EndpointRef> await_resume() { return std::move(*waiter.outcome_); }
    };
    return Awaiter{*this, waiter, deadline};
  }

  // Hands the endpoint to the first in the queue, which resumes later in this turn.
  void serve_first(EndpointRef endpoint);
  void fail_all(const Error& why);

 private:
  friend class Waiter;
  void add(Waiter& waiter, std::coroutine_handle<> handle, Deadline deadline);

  loop::Loop& loop_;
  std::deque<Waiter*> waiting_;  // first come first
};

}  // namespace doorward::upstream
