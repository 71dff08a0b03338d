// LineRing: bytes from one producer thread to one consumer thread, in lines that never wrap: what
// does not fit before the end starts anew at the beginning. Neither side ever waits; a full ring
// is the producer's to count. Owner: AccessLog; one per core.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace doorward::observe {

class LineRing {
 public:
  explicit LineRing(std::size_t capacity);

  std::size_t capacity() const { return capacity_; }

  // Producer. A place for `size` bytes (at most half the capacity), or null when the consumer is
  // too far behind. Nothing is visible before commit().
  char* reserve(std::size_t size);
  // Publishes the first `size` bytes of the last reservation. Returns bytes published in all.
  std::uint64_t commit(std::size_t size);

  // Consumer. The oldest bytes that lie in one piece; empty when there are none.
  std::string_view readable();
  void consume(std::size_t size);

  // Either side: bytes published and not consumed, about.
  std::uint64_t unread() const {
    return head_.load(std::memory_order_relaxed) - tail_.load(std::memory_order_relaxed);
  }

 private:
  const std::size_t capacity_;
  std::unique_ptr<char[]> bytes_;
  // Positions count up for ever; a lap is `capacity_` of them. Written by the producer:
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> lap_end_{0};  // where the lap before head's ends, if head wrapped
  std::uint64_t at_ = 0;                   // of the last reservation
  std::uint64_t wrapped_from_ = 0;         // head when the reservation had to wrap, else at_
  std::uint64_t known_tail_ = 0;
  // Written by the consumer:
  alignas(64) std::atomic<std::uint64_t> tail_{0};
};

}  // namespace doorward::observe
