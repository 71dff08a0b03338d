#include "codec/h1/receiver.h"

namespace doorward::codec::h1 {

char* Receiver::grow_head(Arena& arena, std::size_t need) {
  if (head_size_ == 0 && head_capacity_ == 0) head_ = nullptr;
  if (head_size_ + need > head_capacity_) {
    const std::size_t capacity = std::max<std::size_t>(head_size_ + need, 2 * head_capacity_);
    char* to = arena.bytes(capacity);
    if (head_size_ > 0) std::memcpy(to, head_, head_size_);
    head_ = to;
    head_capacity_ = static_cast<std::uint32_t>(capacity);
  }
  return head_ + head_size_;
}

void Receiver::begin_body(Framing framing, Arena& arena) {
  framing_ = framing;
  remaining_ = framing.kind == Body::length ? framing.length : 0;
  done_ = framing.kind == Body::none || (framing.kind == Body::length && framing.length == 0);
  ahead_ = Piece();
  chunks_ = framing.kind == Body::chunked ? arena.make<ChunkDecoder>(arena) : nullptr;
}

BodySize Receiver::size() const {
  switch (framing_.kind) {
    case Body::none:
      return BodySize::empty();
    case Body::length:
      return BodySize::known(framing_.length);
    case Body::chunked:
    case Body::until_close:
      return BodySize::unknown();
  }
  return BodySize::empty();
}

loop::Task<Result<Piece>> Receiver::read_piece(Deadline deadline) {
  if (done_) return Result<Piece>(Piece{Chunk(), true, false});
  Piece piece;
  switch (take_piece(piece)) {
    case Take::piece:
      return Result<Piece>(std::move(piece));
    case Take::refused:
      return Result<Piece>(at_end_of_stream());
    case Take::need_more:
      return wait_for_piece(deadline);
  }
  return wait_for_piece(deadline);
}

loop::Task<Result<Piece>> Receiver::wait_for_piece(Deadline deadline) {
  for (;;) {
    Result<Chunk> got = co_await bytes_.recv(deadline);
    if (!got) co_return Failure(std::move(got.error()));
    if (got->empty()) co_return at_end_of_stream();
    pending_ = std::move(*got);
    Piece piece;
    const Take take = take_piece(piece);
    if (take == Take::piece) co_return piece;
    if (take == Take::refused) co_return at_end_of_stream();
  }
}

Receiver::Take Receiver::take_piece(Piece& piece) {
  if (framing_.kind == Body::chunked) return take_chunked(piece);
  if (pending_.empty()) return Take::need_more;
  if (framing_.kind == Body::length) return take_known(piece);
  piece.chunk = std::move(pending_);
  piece.more_ready = bytes_.recv_ready();
  return Take::piece;
}

Receiver::Take Receiver::take_known(Piece& piece) {
  const std::size_t size =
      static_cast<std::size_t>(std::min<std::uint64_t>(pending_.size(), remaining_));
  remaining_ -= size;
  if (size == pending_.size()) {
    piece.chunk = std::move(pending_);
  } else {
    piece.chunk = pending_.part(pending_.view().substr(0, size));
    pending_.remove_prefix(size);
  }
  piece.last = done_ = remaining_ == 0;
  piece.more_ready = !piece.last && bytes_.recv_ready();
  return Take::piece;
}

// One decoder step ahead, so that `last` comes with the bytes before it when both are here.
// Broken framing is told only after the bytes before it.
Receiver::Take Receiver::take_chunked(Piece& piece) {
  if (!ahead_.chunk.empty()) {
    piece = std::move(ahead_);
    ahead_ = Piece();
  }
  while (!pending_.empty() && chunks_->refusal() == Refusal::none) {
    std::string_view rest = pending_.view();
    std::string_view data;
    const ChunkStep step = chunks_->next(rest, data);
    pending_.remove_prefix(pending_.size() - rest.size());
    if (step == ChunkStep::refused) break;
    if (step == ChunkStep::done) {
      piece.last = done_ = true;
      break;
    }
    if (step == ChunkStep::need_more) break;
    if (piece.chunk.empty()) {
      piece.chunk = pending_.part(data);
    } else {
      ahead_.chunk = pending_.part(data);
      break;
    }
  }
  if (pending_.empty()) pending_ = Chunk();
  const bool refused = chunks_->refusal() != Refusal::none;
  if (piece.chunk.empty() && !piece.last) return refused ? Take::refused : Take::need_more;
  piece.more_ready = !piece.last && (refused || !ahead_.chunk.empty() || bytes_.recv_ready());
  return Take::piece;
}

// The peer sent FIN, or the chunk framing is broken.
Result<Piece> Receiver::at_end_of_stream() {
  if (framing_.kind == Body::chunked && chunks_->refusal() != Refusal::none) {
    const Refusal why = chunks_->refusal();
    return Failure(Error{ErrorKind::protocol, Side::doorward, Retry::no, status_of(why),
                         to_string(why), std::string(sentence(why))});
  }
  if (framing_.kind == Body::until_close) {
    done_ = true;
    return Piece{Chunk(), true, false};
  }
  return fail(ErrorKind::closed, "the connection ended before the body was complete");
}

}  // namespace doorward::codec::h1
