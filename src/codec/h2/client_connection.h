// ClientConnection: an HTTP/2 connection to a backend, shared by the exchanges of one core. open()
// gives a stream as long as there is room; the owner is told when there is again, and when the
// connection has ended.
//
// Owner: a pool, which also runs serve() in a gate of its own; that returns when the connection has
// ended and the last stream has been destroyed. Callbacks may come from inside of a stream's
// destructor, never from inside of open().
#pragma once

#include <memory>
#include <vector>

#include "codec/h2/client_stream.h"
#include "codec/h2/session.h"

namespace doorward::codec::h2 {

class ClientConnection;

class ClientOwner {
 public:
  // room() has become true.
  virtual void on_room(ClientConnection& connection) = 0;
  // It opens no further stream; those that are open may go on to their ends. Once.
  virtual void on_end(ClientConnection& connection) = 0;

 protected:
  ~ClientOwner() = default;
};

class ClientConnection final : public Session, loop::TimerTarget {
 public:
  // The references outlive the connection.
  ClientConnection(loop::Loop& loop, std::unique_ptr<loop::ByteStream> bytes,
                   const ClientSettings& settings, ClientOwner& owner);
  ~ClientConnection();

  loop::Task<void> serve();
  // Null when there is no room().
  std::unique_ptr<ClientStream> open();
  bool room() const;
  std::uint32_t streams() const { return open_; }
  // Ends in order: GOAWAY now, the rest with the last stream.
  void close();
  // Ends at once.
  void cut();
  bool ending() const { return ending_; }
  // RFC 8441 §3.
  bool takes_websocket() const;
  // Until the peer's SETTINGS have come, so that its limits are known, or the connection ended.
  loop::Task<void> settle(Wait& wait, Deadline deadline);

  // For its streams.
  const ClientSettings& settings() const { return client_settings_; }
  void stream_opened() { ++open_; }
  void stream_ended();
  void watch_answer();

 private:
  Channel* on_request_begins(std::int32_t) override { return nullptr; }
  void on_first_bytes(std::string_view bytes) override;
  void on_peer_settings() override;
  void on_goaway() override { going_away_ = true; }
  void on_ping_answered() override { ping_out_ = false; }
  void after_input() override;
  void on_quiet() override;
  void on_timer(loop::Timer&) override;
  void end();
  void tell_room();
  void ping();

  const std::unique_ptr<loop::ByteStream> transport_;
  const ClientSettings& client_settings_;
  ClientOwner& owner_;
  loop::Timer keep_alive_{*this};
  Wait all_gone_{loop_};
  std::vector<Wait*> settling_;
  std::uint64_t received_before_ = 0;  // when the timer was armed
  TimePoint heard_{};                  // when something came last
  std::uint32_t open_ = 0;
  bool had_room_ = true;
  bool settled_ = false;
  bool going_away_ = false;
  bool ending_ = false;
  bool ping_out_ = false;
};

}  // namespace doorward::codec::h2
