// SharedConnections: the HTTP/2 connections of one core to one endpoint, each of which carries the
// requests of many exchanges. The first one with room is used, so that load gathers on few of them
// and frames of many requests leave in one write; those that were idle too long are closed.
// Owner: a Pool. A connection lives until its serve() has returned (Endpoint runs that).
#pragma once

#include <memory>
#include <vector>

#include "codec/h2/client_connection.h"
#include "loop/timer.h"
#include "upstream/service_config.h"

namespace doorward::upstream {

class Queue;

class SharedConnections final : public codec::h2::ClientOwner, loop::TimerTarget {
 public:
  SharedConnections(loop::Loop& loop, const PoolConfig& config, Queue& queue)
      : loop_(loop), config_(config), queue_(queue) {}
  SharedConnections(const SharedConnections&) = delete;
  SharedConnections& operator=(const SharedConnections&) = delete;
  ~SharedConnections();

  // One of them takes another request.
  bool room() const;
  // Null when there is no room.
  std::unique_ptr<codec::ClientStream> open();
  void add(std::unique_ptr<codec::h2::ClientConnection> connection);
  // Its serve() has returned.
  void remove(codec::h2::ClientConnection& connection);
  // All end with their last requests.
  void close();
  // All end at once.
  void cut();

 private:
  struct Member {
    std::unique_ptr<codec::h2::ClientConnection> connection;
    std::uint32_t quiet = 0;  // ticks without a request
    bool used = true;         // since the last tick
  };

  void on_room(codec::h2::ClientConnection& connection) override;
  void on_end(codec::h2::ClientConnection& connection) override;
  void on_timer(loop::Timer&) override;
  void arm();

  loop::Loop& loop_;
  const PoolConfig& config_;
  Queue& queue_;
  std::vector<Member> members_;
  loop::Timer tick_{*this};
};

}  // namespace doorward::upstream
