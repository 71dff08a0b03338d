// ServerConnection: an HTTP/2 connection of a client. Each request becomes a ServerStream that is
// answered by a coroutine of its own in the connection's gate; many are on their way at once.
//
// Owner: the coroutine that runs serve(). Draining follows RFC 9113 §6.8: GOAWAY with the highest
// number first, and with the last one that was served when the client has seen that (a PING came
// back) or some time has passed; the connection ends with its last stream.
#pragma once

#include <memory>
#include <vector>

#include "codec/h2/server_stream.h"
#include "codec/h2/session.h"
#include "codec/request_sink.h"

namespace doorward::codec::h2 {

class ServerConnection final : public Session, loop::TimerTarget {
 public:
  // The references outlive the connection; `settings` may be replaced between requests.
  ServerConnection(loop::Loop& loop, loop::ByteStream& bytes, RequestSink& sink,
                   std::shared_ptr<const ServerSettings> settings);
  ~ServerConnection();

  // Runs until the connection has ended. The ByteStream may be destroyed afterwards. `received`:
  // what came already, from the connection preface on.
  loop::Task<void> serve(Chunk received = {});
  // No further request beyond those that are on their way.
  void drain();
  // Ends it at once.
  void cut();
  bool idle() const { return channels() == 0; }
  Late late() const { return late_; }
  void use_settings(std::shared_ptr<const ServerSettings> settings);
  std::size_t streams() const { return channels(); }

  // For its streams.
  RequestSink& sink() { return sink_; }
  const ServerSettings& settings() const { return *connection_settings_; }
  void head_begins();
  void head_ends(ServerStream& stream);
  void count_late(Late late) { late_ = late; }

 private:
  Channel* on_request_begins(std::int32_t stream) override;
  void on_peer_settings() override {}
  void on_goaway() override { peer_leaves_ = true; }
  void on_ping_answered() override;
  void on_reset(bool by_peer, std::uint32_t code) override {
    sink_.on_stream_reset(by_peer ? Side::client : Side::doorward, code);
  }
  void after_input() override;
  void on_quiet() override;
  void on_timer(loop::Timer&) override;

  static loop::Task<void> run(std::unique_ptr<ServerStream> stream);
  void announce_end();
  void say_goodbye();
  void arm_patience();

  RequestSink& sink_;
  std::shared_ptr<const ServerSettings> connection_settings_;
  std::unique_ptr<ServerStream> reading_;              // its head has begun
  std::vector<std::unique_ptr<ServerStream>> to_run_;  // their heads are complete
  loop::Gate streams_;
  loop::Timer patience_{*this};
  loop::Timer goodbye_{*this};
  Deadline head_deadline_ = Deadline::never();
  Deadline idle_deadline_ = Deadline::never();
  std::uint32_t requests_ = 0;
  Late late_ = Late::no;
  bool started_ = false;
  bool draining_ = false;
  bool said_goodbye_ = false;
  bool peer_leaves_ = false;
};

}  // namespace doorward::codec::h2
