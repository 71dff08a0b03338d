// ClientConnection: a client's connection and the sink of its requests: each becomes an Exchange.
// First it finds out what is spoken (open_connection.cc): a PROXY header, TLS, HTTP/1.1 or HTTP/2.
// Owner: the coroutine that serves it, spawned into the Core's gate.
#pragma once

#include <forward_list>
#include <memory>
#include <optional>

#include "codec/h1/server_connection.h"
#include "codec/h2/server_connection.h"
#include "codec/request_sink.h"
#include "exchange/client_facts.h"
#include "exchange/core.h"
#include "exchange/live_credentials.h"
#include "tls/stream.h"

namespace doorward::exchange {

class ClientConnection final : public codec::RequestSink, loop::TimerTarget, tls::FailureWatch {
 public:
  ClientConnection(ListenerState& listener, int fd, const loop::Address& peer);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  loop::Task<void> serve();
  // No further request; WebSockets are told to go.
  void drain();
  void cut();
  ClientConnection* next() const { return next_; }

  // RequestSink
  codec::Incoming& open(codec::ServerStream& stream) override;
  loop::Task<void> run(codec::Incoming& incoming, codec::ServerStream& stream) override;
  loop::Task<void> refuse(codec::Incoming& incoming, codec::ServerStream& stream,
                          codec::BadRequest why) override;
  void close(codec::Incoming& incoming) override;
  void on_stream_reset(Side by, std::uint32_t code) override;

 private:
  // What comes before HTTP; false: the connection has ended.
  loop::Task<bool> read_proxy_header();
  void take_proxied(codec::proxy_protocol::Header header);
  loop::Task<bool> shake_hands();
  bool certificate_stands(const tls::ServerContext& began_with) const;
  void take_certificate();
  loop::Task<bool> find_protocol();
  loop::Task<bool> receive_more(Deadline deadline);
  loop::Task<Result<Chunk>> receive(Deadline deadline);
  loop::Task<void> refuse_cleartext();
  loop::Task<void> send_last_words(loop::ByteStream& to, std::string_view answer);
  Deadline patience(Duration usual) const;
  void on_handshake_failed(const Error& error);
  void on_tls_failed(const Error& error) override;

  void limit_age();
  loop::Task<void> serve_http1();
  loop::Task<void> serve_http2();
  void count_end(codec::Late late);
  void on_http2_broken(std::string_view why);
  void count_bytes();
  void on_timer(loop::Timer&) override;  // it is as old as it may be

  // Of the client's certificate, or of one that vouches for it.
  struct CertificateUse final : CredentialUse {
    explicit CertificateUse(ClientFacts& client) : facts(client) {}
    void on_revoked() override { facts.certificate_revoked = true; }
    ClientFacts& facts;
  };

  Core& core_;
  ListenerState& listener_;
  ClientFacts facts_;
  std::forward_list<CertificateUse> certificate_uses_;
  std::optional<IpSeat> seat_;
  std::unique_ptr<loop::ByteStream> bytes_;
  tls::Stream* tls_ = nullptr;  // bytes_, where that is TLS
  Chunk received_;              // and not given to a codec yet
  std::optional<codec::h1::ServerConnection> http1_;
  std::unique_ptr<codec::h2::ServerConnection> http2_;
  bool speaks_http2_ = false;
  bool draining_ = false;
  bool waiting_ = false;           // for the first bytes
  Exchange* exchanges_ = nullptr;  // an intrusive list
  std::uint64_t counted_received_ = 0;
  std::uint64_t counted_sent_ = 0;
  loop::Timer age_{*this};
  ClientConnection* next_ = nullptr;
  ClientConnection** link_ = nullptr;
};

// Serves a connection that was accepted, from its limits to its end. `peer` is read before the
// first wait, so it need only outlive the spawning: a copy would stay in the frame to the end.
loop::Task<void> serve_client(ListenerState& listener, int fd, const loop::Address& peer);

}  // namespace doorward::exchange
