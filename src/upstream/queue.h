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

  void give_back();
};

// One who waits in a queue. Owner: the coroutine that waits; it stays where it is meanwhile.
class Waiter final : loop::TimerTarget {
 public:
  // Endpoints in `tried` are given only when there is no other; `fresh`: a connection that was used
  // before is none for it.
  Waiter(const Tried& tried, bool fresh) : tried_(tried), fresh_(fresh) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter();

  const Tried& tried() const { return tried_; }
  bool fresh() const { return fresh_; }
  // Wakes it with ErrorKind::cancelled, if it waits.
  void cancel();

 private:
  friend class Queue;
  void end(Result<Place> outcome);
  void on_timer(loop::Timer&) override;

  const Tried tried_;
  const bool fresh_;
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
    // Calls serve_first() as long as there is room and somebody waits.
    virtual void serve_queue() = 0;

   protected:
    ~Server() = default;
  };

  Queue(loop::Loop& loop, Server& server) : loop_(loop), server_(server) {}

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  const Waiter& first() const { return *waiting_.front(); }

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
  // The first in the queue gets the place; it resumes later in this turn.
  void serve_first(Place place) { waiting_.front()->end(std::move(place)); }
  void fail_all(const Error& why);

 private:
  friend class Waiter;
  void add(Waiter& waiter, std::coroutine_handle<> handle, Deadline deadline);

  loop::Loop& loop_;
  Server& server_;
  std::deque<Waiter*> waiting_;  // first come first
};

}  // namespace doorward::upstream
