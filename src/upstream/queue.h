// Queue: who waits for an endpoint of a service, because all connections are in use or its names
// are being resolved. First come, first served; each wait has a deadline and may be given up.
// Owner: a Service. One thread only.
#pragma once

#include <coroutine>
#include <deque>
#include <memory>
#include <optional>

#include "loop/loop.h"
#include "loop/timer.h"
#include "upstream/endpoint.h"

namespace doorward::upstream {

class Queue;

// Where an attempt goes: a connection, or room reserved for a new one. It must be used, or given
// back to the endpoint's pool.
struct Place {
  EndpointRef endpoint;
  std::unique_ptr<Connection> connection;  // null: to be opened
  bool alone = false;                      // … for this exchange only

  void give_back();
};

// One who waits in a queue. Owner: the coroutine that waits; it stays where it is meanwhile.
class Waiter final : loop::TimerTarget {
 public:
  // Endpoints in `tried` are given only when there is no other.
  Waiter(const Tried& tried, Want want) : tried_(tried), want_(want) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter();

  const Tried& tried() const { return tried_; }
  Want want() const { return want_; }
  // Wakes it with ErrorKind::cancelled, if it waits.
  void cancel();

 private:
  friend class Queue;
  void end(Result<Place> outcome);
  void on_timer(loop::Timer&) override;

  const Tried tried_;
  const Want want_;
  Queue* queue_ = nullptr;  // null: it does not wait
  std::coroutine_handle<> handle_;
  std::optional<Result<Place>> outcome_;
  loop::Timer timer_{*this};
};

class Queue {
 public:
  // Who knows where there is room.
  class Server {
   public:
    // Calls serve() of those for whom there is room, in their order.
    virtual void serve_queue() = 0;
    // Those who wait for a connection that many were to share wait in vain.
    virtual void on_connect_failed(const Error& why) = 0;

   protected:
    ~Server() = default;
  };

  Queue(loop::Loop& loop, Server& server) : loop_(loop), server_(server) {}

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  const Waiter& at(std::size_t i) const { return *waiting_[i]; }

  // Waits until it is served, ErrorKind::timeout or ErrorKind::cancelled.
  auto wait(Waiter& waiter, Deadline deadline) {
    struct Awaiter {
      Queue& queue;
      Waiter& waiter;
      Deadline deadline;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) { queue.add(waiter, handle, deadline); }
      Result<Place> await_resume() { return std::move(*waiter.outcome_); }
    };
    return Awaiter{*this, waiter, deadline};
  }

  // There may be room now.
  void serve() { server_.serve_queue(); }
  void connect_failed(const Error& why) { server_.on_connect_failed(why); }
  // The i-th in the queue gets the place; it resumes later in this turn.
  void serve(std::size_t i, Place place) { waiting_[i]->end(std::move(place)); }
  void fail_all(const Error& why);

 private:
  friend class Waiter;
  void add(Waiter& waiter, std::coroutine_handle<> handle, Deadline deadline);

  loop::Loop& loop_;
  Server& server_;
  std::deque<Waiter*> waiting_;  // first come first
};

}  // namespace doorward::upstream
