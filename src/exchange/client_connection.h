// ClientConnection: a client's connection and the sink of its requests: each becomes an Exchange.
// Owner: the coroutine that serves it, spawned into the Core's gate.
#pragma once

#include <memory>

#include "codec/h1/server_connection.h"
#include "codec/request_sink.h"
#include "exchange/core.h"
#include "loop/socket.h"

namespace doorward::exchange {

class ClientConnection final : public codec::RequestSink {
 public:
  ClientConnection(ListenerState& listener, int fd, const loop::Address& peer);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  loop::Task<void> serve();
  void drain() { codec_.drain(); }
  void cut();
  ClientConnection* next() const { return next_; }

  // RequestSink
  codec::Incoming& open(codec::ServerStream& stream) override;
  loop::Task<void> run(codec::Incoming& incoming, codec::ServerStream& stream) override;
  loop::Task<void> refuse(codec::Incoming& incoming, codec::ServerStream& stream,
                          codec::BadRequest why) override;
  void close(codec::Incoming& incoming) override;

 private:
  void count_bytes();

  Core& core_;
  ListenerState& listener_;
  const loop::Address peer_;
  const std::string peer_ip_;
  std::unique_ptr<loop::Socket> socket_;
  codec::h1::ServerConnection codec_;
  Exchange* exchange_ = nullptr;
  std::uint64_t counted_received_ = 0;
  std::uint64_t counted_sent_ = 0;
  ClientConnection* next_ = nullptr;
  ClientConnection** link_ = nullptr;
};

// Serves a connection that was accepted, from its limits to its end.
loop::Task<void> serve_client(ListenerState& listener, int fd, loop::Address peer);

}  // namespace doorward::exchange
