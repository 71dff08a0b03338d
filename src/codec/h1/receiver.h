// Receiver: the receiving half of an HTTP/1.1 connection. Takes heads and body pieces out of the
// bytes of a ByteStream.
//
// A head is copied into the exchange's arena while it is parsed (a few hundred bytes), so that its
// views live as long as the exchange and the loop's receive buffer goes back at once; body bytes
// are handed on in the receive buffer itself.
// Owner: a ServerConnection or ClientConnection.
#pragma once

#include "base/arena.h"
#include "codec/h1/chunk_decoder.h"
#include "codec/h1/request_parser.h"
#include "codec/h1/response_parser.h"
#include "codec/stream.h"

namespace doorward::codec::h1 {

class Receiver {
 public:
  explicit Receiver(loop::ByteStream& bytes) : bytes_(bytes) {}

  bool has_pending() const { return !pending_.empty(); }
  std::size_t pending_size() const { return pending_.size(); }
  // Bytes that were received; only when nothing is pending.
  void accept(Chunk chunk) { pending_ = std::move(chunk); }
  // What is left after the head or body (pipelined requests, a tunnel's first bytes).
  Chunk take_pending() { return std::move(pending_); }

  // Parses what is pending as a part of a head. need_more: accept() further bytes, call again.
  template <class Parser, class Head>
  Progress feed_head(Parser& parser, Head& head, Arena& arena, const ParseLimits& limits);
  bool head_begun() const { return head_size_ > 0; }

  // The body that follows the head.
  void begin_body(Framing framing, Arena& arena);
  bool body_done() const { return done_; }
  bool at_message_end() const { return done_ && framing_.kind != Body::until_close; }
  BodySize size() const;
  bool piece_ready() const {
    return done_ || has_pending() || !ahead_.chunk.empty() || bytes_.recv_ready();
  }
  // The next piece; waits until `deadline` for bytes. Errors: timeout, closed (ended early),
  // reset, protocol (bad chunk framing; `code` is the Refusal).
  loop::Task<Result<Piece>> read_piece(Deadline deadline);
  const http::HeaderList* trailers() const {
    return chunks_ != nullptr && done_ && !chunks_->trailers().empty() ? &chunks_->trailers()
                                                                       : nullptr;
  }

 private:
  enum class Take : std::uint8_t { piece, need_more, refused };
  Take take_piece(Piece& piece);
  Take take_known(Piece& piece);
  Take take_chunked(Piece& piece);
  Result<Piece> at_end_of_stream();
  loop::Task<Result<Piece>> wait_for_piece(Deadline deadline);
  char* grow_head(Arena& arena, std::size_t need);

  loop::ByteStream& bytes_;
  Chunk pending_;

  char* head_ = nullptr;
  std::uint32_t head_size_ = 0;
  std::uint32_t head_capacity_ = 0;

  Framing framing_{};
  std::uint64_t remaining_ = 0;
  bool done_ = true;
  Piece ahead_;
  ChunkDecoder* chunks_ = nullptr;  // in the exchange's arena
};

template <class Parser, class Head>
Progress Receiver::feed_head(Parser& parser, Head& head, Arena& arena, const ParseLimits& limits) {
  constexpr std::size_t kFirstCopy = 2048;
  while (!pending_.empty()) {
    const std::size_t step =
        std::min(pending_.size(), std::max<std::size_t>(head_size_, kFirstCopy));
    char* to = grow_head(arena, step);
    std::memcpy(to, pending_.data(), step);
    const std::size_t before = head_size_;
    const Progress progress = parser.parse({head_, before + step}, limits, head);
    if (progress == Progress::done) {
      pending_.remove_prefix(parser.consumed() - before);
      if (pending_.empty()) pending_ = Chunk();
      head_size_ = 0;
      head_capacity_ = 0;
      return progress;
    }
    if (progress == Progress::refused) return progress;
    head_size_ = static_cast<std::uint32_t>(before + step);
    pending_.remove_prefix(step);
  }
  pending_ = Chunk();
  return Progress::need_more;
}

}  // namespace doorward::codec::h1
