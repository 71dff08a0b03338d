// Stream: one request and its response on a codec. Bodies look the same towards a client and
// towards a backend; what differs is who sends which head. HTTP/1.1 and HTTP/2 implement it.
//
// Every wait carries its own deadline inside the codec (the connection's settings) or is given.
// Owner: the codec's connection. One read and one write may wait at a time.
#pragma once

#include <cstdint>

#include "base/chunk.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/head.h"
#include "loop/byte_stream.h"
#include "loop/task.h"

namespace doorward::codec {

// How long a body is, as far as its sender knows. The codec chooses the framing from it.
struct BodySize {
  enum class Kind : std::uint8_t { none, known, unknown };
  Kind kind = Kind::none;
  std::uint64_t length = 0;

  static constexpr BodySize empty() { return {}; }
  static constexpr BodySize known(std::uint64_t length) { return {Kind::known, length}; }
  static constexpr BodySize unknown() { return {Kind::unknown, 0}; }
  bool may_have_bytes() const { return kind == Kind::unknown || length > 0; }
};

// A piece of a received body. `last` comes exactly once, possibly with an empty chunk.
struct Piece {
  Chunk chunk;
  bool last = false;
  bool more_ready = false;  // more of it can be read without waiting
};

class Stream {
 public:
  virtual ~Stream() = default;

  // The size of the body being received.
  virtual BodySize received_size() const = 0;
  // The next piece of it; after `last` no further call.
  virtual loop::Task<Result<Piece>> read_body() = 0;
  // True when read_body would not wait.
  virtual bool body_ready() = 0;
  // Trailers of the received body, after its last piece; nullptr when there are none.
  virtual const http::HeaderList* received_trailers() const = 0;

  // Sends a piece of the body after the head; the bytes stay untouched until it completes.
  // `trailers` may come with the last piece.
  virtual loop::Task<Result<void>> send_body(std::string_view bytes, bool last,
                                             const http::HeaderList* trailers = nullptr) = 0;

  // Wakes a waiting read (or write) with ErrorKind::cancelled.
  virtual void cancel_read() = 0;
  virtual void cancel_write() = 0;
  // Ends it at once, broken, as seen by the peer.
  virtual void abort() = 0;
};

// Towards a client: the request was received, the response is sent.
class ServerStream : public Stream {
 public:
  // 1xx before the response (not 101). Left out for clients that cannot read it.
  virtual loop::Task<Result<void>> send_informational(const http::ResponseHead& head) = 0;
  // The head together with the body's first bytes (`last`: that is all of it).
  virtual loop::Task<Result<void>> send_response(const http::ResponseHead& head, BodySize size,
                                                 std::string_view first, bool last) = 0;
  // The client waits for a 100 before it sends its body; the first read_body() answers it.
  virtual bool awaits_continue() const = 0;
  // Told when the client goes away while nothing is read from it; nullptr takes the watch away.
  virtual void watch_client(loop::PeerWatch* watch) = 0;
  // After FIN from the client: can it still be there? Sends what only a living client swallows.
  virtual void probe_client() = 0;
  // … and did it turn out to be gone?
  virtual bool client_broken() const = 0;
  // The connection ends after this response.
  virtual void close_after() = 0;
  // The client sends its next requests on another connection; what is under way here goes on.
  virtual void retire_connection() = 0;
  // After a 101 was sent: the transport, for tunnelling, and bytes that came after the head.
  virtual loop::ByteStream* take_transport(Chunk& early_bytes) = 0;
  virtual bool response_started() const = 0;
  virtual std::uint64_t bytes_received() const = 0;
  virtual std::uint64_t bytes_sent() const = 0;
};

// Towards a backend: the request is sent, the response received.
class ClientStream : public Stream {
 public:
  // Begins an exchange; its heads and trailers live in `arena`.
  virtual void begin(Arena& arena) = 0;
  // Request target to send instead of the head's; set before send_request.
  virtual void set_target(std::string_view target) = 0;
  // No wait of this exchange for the backend goes on beyond; set after begin().
  virtual void set_total_deadline(Deadline deadline) = 0;

  virtual loop::Task<Result<void>> send_request(const http::RequestHead& head, BodySize size,
                                                std::string_view first, bool last) = 0;
  // The next head (1xx ones too). Its views live in `arena`.
  virtual loop::Task<Result<void>> read_response(http::ResponseHead& head, Arena& arena,
                                                 Deadline deadline) = 0;
  virtual loop::ByteStream* take_transport(Chunk& early_bytes) = 0;

  // Of its connection: http2 streams share theirs.
  virtual http::Version version() const = 0;
  // The connection has ended, not this exchange alone.
  virtual bool connection_ended() const = 0;
  // The response switched protocols (101).
  virtual bool switched() const = 0;
  // No byte of a response has come since begin().
  virtual bool nothing_received() const = 0;
  // The backend cannot have acted on the request: nothing of it reached it, or it said so.
  virtual bool provably_unseen() const = 0;
  // Of this exchange.
  virtual std::uint64_t bytes_received() const = 0;
  virtual std::uint64_t bytes_sent() const = 0;
};

}  // namespace doorward::codec
