// ClientStream: one request to a backend on an HTTP/2 connection, and its response. It has the
// functions of h1::ClientConnection, of which it takes the place for one exchange.
//
// Heads and trailers lie in the arena that begin() gave; read_response() gets them by then,
// whatever arena it is called with. Owner: an attempt; it must go before its arena does, and its
// connection's serve() waits for it.
#pragma once

#include <optional>

#include "codec/h2/channel.h"
#include "codec/h2/client_settings.h"
#include "codec/h2/session.h"
#include "codec/h2/tunnel_bytes.h"
#include "loop/frame_pool.h"

namespace doorward::codec::h2 {

class ClientConnection;

class ClientStream final : public codec::ClientStream, public Channel {
 public:
  explicit ClientStream(ClientConnection& connection);
  ~ClientStream() override;
  static void* operator new(std::size_t size) { return loop::frame_allocate(size); }
  static void operator delete(void* at, std::size_t size) { loop::frame_free(at, size); }

  // The exchange is complete on both sides.
  bool reusable() const { return in_.drained() && out_.ended() && !is_broken(); }

  // Stream
  BodySize received_size() const override;
  loop::Task<Result<Piece>> read_body() override { return read_piece(idle_deadline()); }
  bool body_ready() override { return in_.ready(); }
  const http::HeaderList* received_trailers() const override { return trailers_; }
  loop::Task<Result<void>> send_body(std::string_view bytes, bool last,
                                     const http::HeaderList* trailers) override;
  void cancel_read() override { in_.wait().wake(Woken::cancelled); }
  void cancel_write() override { out_.cancel(); }
  void abort() override;

  // codec::ClientStream; begin() comes before anything else, once.
  void begin(Arena& arena) override { arena_ = &arena; }
  void set_target(std::string_view target) override { target_ = target; }
  void set_total_deadline(Deadline deadline) override { total_deadline_ = deadline; }
  loop::Task<Result<void>> send_request(const http::RequestHead& head, BodySize size,
                                        std::string_view first, bool last) override;
  loop::Task<Result<void>> read_response(http::ResponseHead& head, Arena& arena,
                                         Deadline deadline) override;
  loop::ByteStream* take_transport(Chunk& early_bytes) override;
  http::Version version() const override { return http::Version::http2; }
  bool connection_ended() const override { return session_.dead(); }
  // The backend took the extended CONNECT.
  bool switched() const override { return switched_; }
  // No frame of a response has come.
  bool nothing_received() const override { return !received_any_; }
  // The backend has not acted on it: it said so (REFUSED_STREAM, GOAWAY: RFC 9113 §8.7), the
  // request never left, or its kernel acknowledged nothing of it.
  bool provably_unseen() const override;
  std::uint64_t bytes_received() const override { return bytes_received_; }
  std::uint64_t bytes_sent() const override { return bytes_sent_; }

  // Channel
  void on_block_begins() override;
  bool on_block_ends(bool last) override;

 private:
  // A head that came and was not read yet; in the arena.
  struct Received {
    explicit Received(Arena& arena) : head(arena) {}
    http::ResponseHead head;
    Received* next = nullptr;
  };
  static constexpr std::uint8_t kInterimMost = 16;  // as the sentence of too_many_interim says

  loop::Task<Result<void>> send_connect(const http::RequestHead& head, BodySize size);
  loop::Task<Result<void>> send_head(const http::RequestHead& head, BodySize size,
                                     std::string_view first, bool last);
  bool submit(const http::RequestHead& head, BodySize size, bool ends);
  bool take_final(const http::ResponseHead& head, bool last);
  bool take_trailers(bool last);
  void switch_protocols(http::ResponseHead& head);
  void push_head();
  Failure why_ended() const;
  Deadline idle_deadline() const;
  loop::StallLimit stall_limit() const;
  void on_end_of_stream(const Error& why) override;

  ClientConnection& connection_;
  Arena* arena_ = nullptr;
  std::string_view target_;
  std::string_view websocket_key_;
  Deadline total_deadline_ = Deadline::never();
  Received* arriving_ = nullptr;
  Received* first_head_ = nullptr;
  Received* last_head_ = nullptr;
  http::HeaderList* trailers_ = nullptr;
  std::optional<TunnelBytes> tunnel_;
  std::optional<Error> ended_by_;
  std::uint64_t began_at_ = 0;  // the transport had sent so much before the request
  http::Method method_ = http::Method::get;
  std::uint8_t interim_ = 0;
  bool final_head_ = false;
  bool websocket_ = false;
  bool switched_ = false;
  bool received_any_ = false;
};

}  // namespace doorward::codec::h2
