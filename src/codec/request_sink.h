// RequestSink: where a server codec delivers requests. Implemented by exchange/; a codec knows no
// routes, policies or backends.
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "codec/stream.h"
#include "http/head.h"

namespace doorward::codec {

// The memory of one request on its way, from its first byte to the end of its response.
struct Incoming {
  Arena& arena;
  http::RequestHead& head;
  TimePoint begun{};  // its first byte came; unset when the head came in one piece
};

// Why a request was refused before it became one.
struct BadRequest {
  std::uint16_t status = 400;
  std::string_view code;    // stable, snake_case
  std::string_view detail;  // one sentence
  unsigned number = 0;      // of the code among the codec's refusals, for metrics; 0: none of them
};

// What a client was too slow in, so that its connection was given up.
enum class Late : std::uint8_t { no, header, body, idle, send, data_rate };

class RequestSink {
 public:
  // The first byte of a request came.
  virtual Incoming& open(ServerStream& stream) = 0;
  // The head is complete: answers it. Returns when the response is sent, or the stream aborted.
  virtual loop::Task<void> run(Incoming& incoming, ServerStream& stream) = 0;
  // The head cannot be used: says so to the client, and to the log.
  virtual loop::Task<void> refuse(Incoming& incoming, ServerStream& stream, BadRequest why) = 0;
  // Gives back what open() took.
  virtual void close(Incoming& incoming) = 0;
  // A stream of HTTP/2 was reset with this error code (RFC 9113 §7).
  virtual void on_stream_reset([[maybe_unused]] Side by, [[maybe_unused]] std::uint32_t code) {}

 protected:
  ~RequestSink() = default;
};

}  // namespace doorward::codec
