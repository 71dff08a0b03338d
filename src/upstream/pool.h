// Pool: the connections of one core to one endpoint. Of HTTP/1.1, idle ones are kept newest first;
// one that the backend closes is let go at once, one that was idle too long by a timer, and none is
// handed out with unread bytes on it. Connections of HTTP/2 are shared (shared_connections.h): a
// stream of one that has room is as good as an idle connection. Whenever there may be room again,
// the service's queue is served.
// Owner: an Endpoint. One thread only.
#pragma once

#include <memory>
#include <vector>

#include "codec/h1/client_connection.h"
#include "loop/timer.h"
#include "observe/metrics.h"
#include "upstream/service_config.h"
#include "upstream/shared_connections.h"

namespace doorward::upstream {

// What an attempt sends its request on: a connection of its own, or a stream of a shared one.
using Connection = codec::ClientStream;
class Queue;

// What a request can be sent on. `fresh`: nothing that may be stale, so a new connection, or a
// stream of a shared one. `alone`: a connection of HTTP/1.1, even where others share (an upgrade).
enum class Want : std::uint8_t { any, fresh, alone };

class Pool final : loop::TimerTarget {
 public:
  // Whether connections carry one request at a time, or many; not known until the first one's TLS
  // handshake has told, and then that one is waited for.
  // `shared` from the start: they share whatever it is, upgrades too.
  enum class Kind : std::uint8_t { separate, shared, unknown };

  // `single_use`: none is ever used for a second exchange.
  Pool(loop::Loop& loop, const PoolConfig& config, observe::ServiceSeries& series, Queue& queue,
       Kind kind, bool single_use)
      : loop_(loop),
        config_(config),
        series_(series),
        queue_(queue),
        kind_(kind),
        single_use_(single_use),
        upgrades_share_(kind == Kind::shared) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { close_idle(); }

  // The connection used last that is still sound, or a stream of a shared one; null when there is
  // none.
  std::unique_ptr<Connection> take(Want want = Want::any);
  // Neither of these, nor room for another connection; or one is being opened that many can share.
  bool full(Want want) const {
    if (!idle_.empty()) return false;
    if (kind_ == Kind::separate || alone(want)) [[likely]]
      return open_ >= config_.max_connections;
    return !shared_.room() && (connecting_ > 0 || open_ >= config_.max_connections);
  }
  // Nothing that take() gives will do, nor what others could share.
  bool alone(Want want) const {
    return want == Want::alone && kind_ != Kind::separate && !upgrades_share_;
  }
  // What take() gives will do. Shared connections tell when they end: none is stale without a word.
  bool may_take(Want want) const {
    return want == Want::fresh ? kind_ == Kind::shared : !alone(want);
  }

  // Takes the room that one more connection needs, for which an idle one is closed if it must be;
  // not when full(). It is either filled, with one of the three, or released. `alone`: for
  // add_alone(), so that nobody waits to share it.
  void reserve(bool alone);
  std::unique_ptr<Connection> add_separate(std::unique_ptr<codec::h1::ClientConnection> opened);
  std::unique_ptr<Connection> add_shared(std::unique_ptr<codec::h2::ClientConnection> opened);
  // For one exchange, which tells nothing of how others are to be sent.
  std::unique_ptr<Connection> add_alone(std::unique_ptr<codec::h1::ClientConnection> opened);
  // `why`: it could not be filled.
  void release(bool alone, const Error* why = nullptr);
  // The endpoint speaks HTTP/2 only, so upgrades go there too; the room reserved for one that is
  // being opened is for a shared connection from now on.
  void share_upgrades();

  // Back from an exchange: kept when it is reusable and there is room, closed otherwise.
  void give(std::unique_ptr<Connection> connection);
  // A shared connection is gone.
  void forget(codec::h2::ClientConnection& connection);
  // Keeps none any more: idle ones are closed now, busy ones when they are given back.
  void retire();

  // … and shared ones end now, whatever they carry.
  void cut() { shared_.cut(); }

  codec::h2::ClientOwner& owner() { return shared_; }
  std::size_t idle() const { return idle_.size(); }
  std::uint32_t open() const { return open_; }

 private:
  // An idle connection and the watch for the backend closing it.
  struct Idle final : loop::PeerWatch {
    explicit Idle(Pool& p) : pool(p) {}
    void on_peer_end(ErrorKind) override { pool.forget(*this); }
    Pool& pool;
    std::unique_ptr<codec::h1::ClientConnection> connection;
    TimePoint since{};
  };

  void keep(std::unique_ptr<codec::h1::ClientConnection> connection);
  // That many connections are no more.
  void count_closed(std::uint32_t n = 1);
  void closed();
  void serve_queue();
  void forget(Idle& idle);
  void close_idle();
  void on_timer(loop::Timer&) override;
  void arm_expiry();

  loop::Loop& loop_;
  const PoolConfig& config_;
  observe::ServiceSeries& series_;
  Queue& queue_;
  std::vector<std::unique_ptr<Idle>> idle_;   // oldest first
  std::vector<std::unique_ptr<Idle>> spare_;  // empty ones: no allocation a request
  std::uint32_t open_ = 0;                    // with those that are being opened
  std::uint32_t connecting_ = 0;              // … but for those of one exchange alone
  Kind kind_;
  const bool single_use_;
  bool upgrades_share_;
  bool retired_ = false;
  loop::Timer expiry_{*this};
  SharedConnections shared_{loop_, config_, queue_};
};

}  // namespace doorward::upstream
