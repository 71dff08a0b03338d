// ProvidedBuffers: buffers of one size that the kernel picks from by itself when data has come
// (io_uring's provided-buffer ring, one group). All sockets of the core share them.
// Owner: UringLoop. Subtle: buffers given back become visible to the kernel at the next publish().
#pragma once

#include <liburing.h>

#include "base/error.h"
#include "loop/buffer.h"

namespace doorward::loop {

class ProvidedBuffers final : public BufferOwner {
 public:
  ProvidedBuffers(io_uring& ring, std::uint16_t group, std::uint32_t buffer_size,
                  std::uint32_t count_max);
  ~ProvidedBuffers();
  ProvidedBuffers(const ProvidedBuffers&) = delete;
  ProvidedBuffers& operator=(const ProvidedBuffers&) = delete;

  Result<void> enroll();  // with the kernel; once

  std::uint16_t group() const { return group_; }
  std::uint32_t buffer_size() const { return slabs_.buffer_size(); }
  std::uint32_t count() const { return slabs_.count(); }
  // How many the kernel may still pick from.
  std::uint32_t available() const { return available_; }

  // The buffer of a completion.
  Buffer& picked(std::uint32_t id, std::uint32_t size) {
    --available_;
    Buffer& buffer = slabs_.at(id);
    buffer.size = size;
    unpoison(buffer.data, size);
    return buffer;
  }
  bool grow();  // false at the limit
  void publish() {
    if (unpublished_ == 0) return;
    io_uring_buf_ring_advance(entries_, unpublished_);
    unpublished_ = 0;
  }
  void take_back(Buffer& buffer) noexcept override;

 private:
  io_uring& ring_;
  std::uint16_t group_;
  std::uint32_t ring_size_;  // a power of two
  BufferSlabs slabs_;
  io_uring_buf_ring* entries_ = nullptr;
  int unpublished_ = 0;
  std::uint32_t available_ = 0;
};

}  // namespace doorward::loop
