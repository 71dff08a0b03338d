// Buffer: one receive buffer of a core. It is at once the memory that Chunks share and the node of
// a socket's queue of what was received, so that receiving allocates nothing.
//
// BufferSlabs owns buffers of one size and makes more of them in slabs, on demand, up to a limit.
// What happens with a free one is its user's affair (the kernel's ring, a free list).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/chunk.h"
#include "base/poison.h"

namespace doorward::loop {

class Buffer;

class BufferOwner {
 public:
  virtual void take_back(Buffer& buffer) noexcept = 0;

 protected:
  ~BufferOwner() = default;
};

class Buffer final : public ChunkMemory {
 public:
  Chunk chunk() { return Chunk(std::string_view(data, size), this); }
  // For a buffer of which no Chunk was made.
  void discard() { owner->take_back(*this); }

  Buffer* next = nullptr;
  BufferOwner* owner = nullptr;
  char* data = nullptr;
  std::uint32_t size = 0;  // received bytes
  std::uint32_t capacity = 0;
  std::uint16_t id = 0;

 private:
  void release() noexcept override { owner->take_back(*this); }
};

// First in, first out.
class BufferQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  std::uint32_t count() const { return count_; }
  std::uint32_t bytes() const { return bytes_; }

  void push(Buffer& buffer) {
    buffer.next = nullptr;
    (head_ == nullptr ? head_ : tail_->next) = &buffer;
    tail_ = &buffer;
    ++count_;
    bytes_ += buffer.size;
  }
  Buffer& pop() {
    Buffer& buffer = *head_;
    head_ = buffer.next;
    --count_;
    bytes_ -= buffer.size;
    return buffer;
  }
  void clear() {
    while (!empty()) pop().discard();
  }

 private:
  Buffer* head_ = nullptr;
  Buffer* tail_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t bytes_ = 0;
};

class BufferSlabs {
 public:
  // `count_max` is at most 32,768: a buffer's number has 15 bits in the kernel's ring.
  BufferSlabs(BufferOwner& owner, std::uint32_t buffer_size, std::uint32_t count_max)
      : owner_(owner),
        buffer_size_(buffer_size),
        count_max_(count_max),
        slab_shift_(buffer_size > kSmallMax ? kLargeSlabShift : kSmallSlabShift) {}

  std::uint32_t buffer_size() const { return buffer_size_; }
  std::uint32_t count() const { return count_; }
  Buffer& at(std::uint32_t id) { return slabs_[id >> slab_shift_].buffers[id & (per_slab() - 1)]; }

  // Makes another slab, never beyond the limit: the numbers of the new buffers (none: count 0).
  struct Range {
    std::uint32_t first;
    std::uint32_t count;
  };
  Range grow();

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  struct Slab {
    std::unique_ptr<char, Free> memory;
    std::unique_ptr<Buffer[]> buffers;
  };
  // A slab is small, since a ring goes round through all of its buffers: 32 small ones are half a
  // megabyte, 4 large ones one.
  static constexpr std::uint32_t kSmallMax = 32 * 1024;
  static constexpr std::uint32_t kSmallSlabShift = 5;
  static constexpr std::uint32_t kLargeSlabShift = 2;

  std::uint32_t per_slab() const { return 1u << slab_shift_; }

  BufferOwner& owner_;
  std::uint32_t buffer_size_;
  std::uint32_t count_max_;
  std::uint32_t slab_shift_;
  std::uint32_t count_ = 0;
  std::vector<Slab> slabs_;
};

}  // namespace doorward::loop
