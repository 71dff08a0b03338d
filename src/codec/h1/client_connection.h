// ClientConnection: an HTTP/1.1 connection to a backend, one request at a time. As ClientStream it
// is that request. After the exchange, reusable() says whether it may go back to its pool.
// Owner: the exchange while it is used, the pool while it is idle.
#pragma once

#include <memory>

#include "base/units.h"
#include "codec/h1/receiver.h"
#include "codec/h1/sender.h"
#include "codec/stream.h"
#include "loop/loop.h"

namespace doorward::codec::h1 {

struct ClientSettings {
  ParseLimits parse;
  Duration idle_timeout{30'000};  // between two pieces of a body, both ways
};

class ClientConnection final : public ClientStream {
 public:
  ClientConnection(loop::Loop& loop, std::unique_ptr<loop::ByteStream> bytes,
                   const ClientSettings& settings);

  // The exchange is complete on both sides and the connection sound.
  bool reusable() const;
  // It never is.
  void use_once() { once_ = true; }
  // While idle: the backend closed it, or sent what nobody asked for.
  bool stale() { return receiver_.has_pending() || bytes_->recv_ready(); }
  loop::ByteStream& bytes() { return *bytes_; }

  // Stream
  BodySize received_size() const override { return receiver_.size(); }
  loop::Task<Result<Piece>> read_body() override;
  bool body_ready() override { return receiver_.piece_ready(); }
  const http::HeaderList* received_trailers() const override { return receiver_.trailers(); }
  loop::Task<Result<void>> send_body(std::string_view bytes, bool last,
                                     const http::HeaderList* trailers) override;
  void cancel_read() override { bytes_->cancel_recv(); }
  void cancel_write() override { bytes_->cancel_send(); }
  void abort() override;

  // ClientStream
  void begin(Arena& arena) override;
  void set_target(std::string_view target) override { target_ = target; }
  void set_total_deadline(Deadline deadline) override { total_deadline_ = deadline; }
  loop::Task<Result<void>> send_request(const http::RequestHead& head, BodySize size,
                                        std::string_view first, bool last) override;
  loop::Task<Result<void>> read_response(http::ResponseHead& head, Arena& arena,
                                         Deadline deadline) override;
  loop::ByteStream* take_transport(Chunk& early_bytes) override;
  http::Version version() const override { return http::Version::http11; }
  bool connection_ended() const override { return broken_; }
  bool switched() const override { return parser_.switched(); }
  bool nothing_received() const override { return bytes_->received() == received_before_; }
  // Nothing of it was acknowledged by the backend's kernel.
  bool provably_unseen() const override { return bytes_->acknowledged() <= sent_before_; }
  std::uint64_t bytes_received() const override { return bytes_->received() - received_before_; }
  std::uint64_t bytes_sent() const override { return bytes_->sent() - sent_before_; }

 private:
  Result<void> accept_head(Progress progress, Arena& arena);
  Result<void> settle(Result<void> sent, bool last);
  loop::Task<Result<Piece>> wait_for_body(loop::Task<Result<Piece>> reading);
  Result<Piece> judge(Result<Piece> piece);
  Deadline idle_deadline() const {
    return Deadline::after(loop_.now(), settings_.idle_timeout).earlier(total_deadline_);
  }

  loop::Loop& loop_;
  std::unique_ptr<loop::ByteStream> bytes_;
  const ClientSettings& settings_;
  Receiver receiver_;
  Sender sender_;
  ResponseParser parser_;
  Arena* arena_ = nullptr;
  std::string_view target_;
  Deadline total_deadline_ = Deadline::never();
  std::uint64_t received_before_ = 0;
  std::uint64_t sent_before_ = 0;
  bool request_done_ = false;
  bool response_begun_ = false;
  bool broken_ = false;
  bool once_ = false;
};

}  // namespace doorward::codec::h1
