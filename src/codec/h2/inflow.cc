#include "codec/h2/inflow.h"

#include <algorithm>
#include <cstring>

namespace doorward::codec::h2 {

bool Inflow::may_share(std::size_t size) const {
  if (wait_.waiting() && at_ == pieces_.size()) return true;
  return size >= kSmall && pieces_.size() - at_ < kSharedMost && held_ < kHeldMost;
}

void Inflow::push(Chunk piece) {
  pieces_.push_back(std::move(piece));
  ++held_;
}

void Inflow::add(const Chunk& shared, std::string_view bytes) {
  const bool in_buffer =
      bytes.data() >= shared.data() && bytes.data() + bytes.size() <= shared.data() + shared.size();
  if (in_buffer && may_share(bytes.size())) {
    push(shared.part(bytes));
    tail_is_block_ = false;
  } else {
    copy(bytes);
  }
  wait_.wake();
}

void Inflow::copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (block_room_ == 0) {
      block_ = Chunk::allocate(std::max(kBlock, std::min(bytes.size(), 4 * kBlock)), block_at_);
      block_room_ = block_.size();
      tail_is_block_ = false;
    }
    const std::size_t size = std::min(bytes.size(), block_room_);
    std::memcpy(block_at_, bytes.data(), size);
    if (tail_is_block_) {
      const std::string_view tail = pieces_.back().view();
      pieces_.back() = block_.part({tail.data(), tail.size() + size});
    } else {
      push(block_.part({block_at_, size}));
    }
    tail_is_block_ = true;
    block_at_ += size;
    block_room_ -= size;
    bytes.remove_prefix(size);
  }
  if (block_room_ == 0) block_ = Chunk();
}

void Inflow::end() {
  ended_ = true;
  wait_.wake();
}

void Inflow::fail(Error error) {
  if (ended_ || error_) return;
  error_ = std::move(error);
  wait_.wake();
}

Result<Piece> Inflow::take() {
  Piece piece;
  if (at_ < pieces_.size()) {
    piece.chunk = std::move(pieces_[at_++]);
    --held_;
    if (at_ == pieces_.size()) forget();
  } else if (error_) {
    return Failure(*error_);
  }
  piece.last = drained();
  piece.more_ready = !piece.last && ready();
  return piece;
}

std::size_t Inflow::drop() {
  std::size_t size = 0;
  for (; at_ < pieces_.size(); ++at_, --held_) size += pieces_[at_].size();
  forget();
  return size;
}

// The block goes, too: its pieces are with the reader, and an idle stream holds no memory.
void Inflow::forget() {
  pieces_.clear();
  at_ = 0;
  tail_is_block_ = false;
  block_ = Chunk();
  block_room_ = 0;
}

}  // namespace doorward::codec::h2
