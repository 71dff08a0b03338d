#include "codec/h2/inflow.h"

#include <algorithm>
#include <cstring>

namespace doorward::codec::h2 {

void Inflow::add(const Chunk& shared, std::string_view bytes) {
  const std::size_t waiting = pieces_.size() - at_;
  const bool in_buffer =
      bytes.data() >= shared.data() && bytes.data() + bytes.size() <= shared.data() + shared.size();
  if (in_buffer && (waiting == 0 || (bytes.size() >= kSmall && waiting < kSharedMost))) {
    pieces_.push_back(shared.part(bytes));
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
      pieces_.push_back(block_.part({block_at_, size}));
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
    if (at_ == pieces_.size()) {
      pieces_.clear();
      at_ = 0;
      tail_is_block_ = false;
      block_ = Chunk();
      block_room_ = 0;
    }
  } else if (error_) {
    return Failure(*error_);
  }
  piece.last = drained();
  piece.more_ready = !piece.last && ready();
  return piece;
}

std::size_t Inflow::drop() {
  std::size_t size = 0;
  for (; at_ < pieces_.size(); ++at_) size += pieces_[at_].size();
  pieces_.clear();
  at_ = 0;
  tail_is_block_ = false;
  block_ = Chunk();
  block_room_ = 0;
  return size;
}

}  // namespace doorward::codec::h2
