// Pool: the connections of one core to one endpoint. Idle ones are kept newest first; one that the
// backend closes is let go at once, one that was idle too long by a timer, and none is handed out
// with unread bytes on it. Whenever one is given back or closed, the service's queue is served.
// Owner: an Endpoint. One thread only.
#pragma once

#include <memory>
#include <vector>

#include "codec/h1/client_connection.h"
#include "loop/timer.h"
#include "upstream/service_config.h"

namespace doorward::upstream {

using Connection = codec::h1::ClientConnection;
class Queue;

class Pool final : loop::TimerTarget {
 public:
  Pool(loop::Loop& loop, const PoolConfig& config, Queue& queue)
      : loop_(loop), config_(config), queue_(queue) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { close_idle(); }

  // The connection used last that is still sound; null when there is none.
  std::unique_ptr<Connection> take();
  // Neither an idle connection nor room for another one.
  bool full() const { return idle_.empty() && open_ >= config_.max_connections; }
  // Takes the room that one more connection needs, for which an idle one is closed if it must be;
  // not when full(). Whoever then fails to open one says closed().
  void reserve();
  void closed();
  // Back from an exchange: kept when it is reusable and there is room, closed otherwise.
  void give(std::unique_ptr<Connection> connection);
  // Keeps none any more: idle ones are closed now, busy ones when they are given back.
  void retire();

  std::size_t idle() const { return idle_.size(); }
  std::uint32_t open() const { return open_; }

 private:
  // An idle connection and the watch for the backend closing it.
  struct Idle final : loop::PeerWatch {
    explicit Idle(Pool& p) : pool(p) {}
    void on_peer_end(ErrorKind) override { pool.forget(*this); }
    Pool& pool;
    std::unique_ptr<Connection> connection;
    TimePoint since{};
  };

  void keep(std::unique_ptr<Connection> connection);
  void serve_queue();
  void forget(Idle& idle);
  void close_idle();
  void on_timer(loop::Timer&) override;
  void arm_expiry();

  loop::Loop& loop_;
  const PoolConfig& config_;
  Queue& queue_;
  std::vector<std::unique_ptr<Idle>> idle_;   // oldest first
  std::vector<std::unique_ptr<Idle>> spare_;  // empty ones: no allocation a request
  std::uint32_t open_ = 0;
  bool retired_ = false;
  loop::Timer expiry_{*this};
};

}  // namespace doorward::upstream
