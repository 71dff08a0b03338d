// PooledBuffers: receive buffers of one size in a free list, last in first out, so that the few
// that are in use stay in the processor's cache. Owner: EpollLoop.
#pragma once

#include <vector>

#include "loop/buffer.h"

namespace doorward::loop {

class PooledBuffers final : public BufferOwner {
 public:
  PooledBuffers(std::uint32_t buffer_size, std::uint32_t count_max)
      : count_max_(count_max), slabs_(*this, buffer_size, count_max) {}

  std::uint32_t buffer_size() const { return slabs_.buffer_size(); }
  std::uint32_t count() const { return slabs_.count(); }
  bool has_free() const { return free_ != nullptr; }
  bool can_grow() const { return slabs_.count() < count_max_; }

  // Null when all are in use and there may be no more.
  Buffer* take() {
    if (free_ == nullptr && !grow()) return nullptr;
    Buffer* buffer = free_;
    free_ = buffer->next;
    unpoison(buffer->data, buffer->capacity);
    return buffer;
  }
  void take_back(Buffer& buffer) noexcept override {
    poison(buffer.data, buffer.capacity);
    buffer.next = free_;
    free_ = &buffer;
  }

 private:
  bool grow() {
    const BufferSlabs::Range made = slabs_.grow();
    for (std::uint32_t i = 0; i < made.count; ++i) take_back(slabs_.at(made.first + i));
    return made.count > 0;
  }

  std::uint32_t count_max_;
  BufferSlabs slabs_;
  Buffer* free_ = nullptr;
};

}  // namespace doorward::loop
