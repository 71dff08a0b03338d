#include "observe/line_ring.h"

namespace doorward::observe {

LineRing::LineRing(std::size_t capacity)
    : capacity_(capacity), bytes_(std::make_unique_for_overwrite<char[]>(capacity)) {}

char* LineRing::reserve(std::size_t size) {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::size_t before_end = capacity_ - head % capacity_;
  at_ = size <= before_end ? head : head + before_end;
  wrapped_from_ = head;
  if (at_ + size - known_tail_ > capacity_) {
    known_tail_ = tail_.load(std::memory_order_acquire);
    if (at_ + size - known_tail_ > capacity_) return nullptr;
  }
  return bytes_.get() + at_ % capacity_;
}

std::uint64_t LineRing::commit(std::size_t size) {
  // head cannot enter a lap before tail has left the one before the last, so one mark is enough.
  if (at_ != wrapped_from_) lap_end_.store(wrapped_from_, std::memory_order_relaxed);
  head_.store(at_ + size, std::memory_order_release);
  return at_ + size;
}

std::string_view LineRing::readable() {
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  const std::uint64_t next_lap = tail - tail % capacity_ + capacity_;
  if (head <= next_lap) return {bytes_.get() + tail % capacity_, head - tail};
  // head is in the next lap: read this one up to where the producer left it.
  const std::uint64_t lap_end = lap_end_.load(std::memory_order_relaxed);
  const std::uint64_t end = lap_end >= tail && lap_end < next_lap ? lap_end : next_lap;
  if (end > tail) return {bytes_.get() + tail % capacity_, end - tail};
  tail = next_lap;
  tail_.store(tail, std::memory_order_release);
  return {bytes_.get(), head - tail};
}

void LineRing::consume(std::size_t size) {
  tail_.store(tail_.load(std::memory_order_relaxed) + size, std::memory_order_release);
}

}  // namespace doorward::observe
