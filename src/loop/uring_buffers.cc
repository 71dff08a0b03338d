#include "loop/uring_buffers.h"

#include <bit>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace doorward::loop {
namespace {

constexpr std::uint32_t kRingSizeMax = 32768;  // the kernel's

}  // namespace

ProvidedBuffers::ProvidedBuffers(io_uring& ring, std::uint16_t group, std::uint32_t buffer_size,
                                 std::uint32_t count_max)
    : ring_(ring),
      group_(group),
      ring_size_(std::min(std::bit_ceil(std::max(count_max, 1u)), kRingSizeMax)),
      slabs_(*this, buffer_size, std::min(std::max(count_max, 1u), kRingSizeMax)) {}

ProvidedBuffers::~ProvidedBuffers() {
  if (entries_ != nullptr) io_uring_unregister_buf_ring(&ring_, group_);
  std::free(entries_);
}

Result<void> ProvidedBuffers::enroll() {
  const std::size_t bytes = (ring_size_ * sizeof(io_uring_buf) + 4095) / 4096 * 4096;
  void* memory = std::aligned_alloc(4096, bytes);
  DOORWARD_CHECK(memory != nullptr);
  std::memset(memory, 0, bytes);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = ring_size_;
  registration.bgid = group_;
  if (const int result = io_uring_register_buf_ring(&ring_, &registration, 0); result < 0) {
    std::free(memory);
    return system_failure(-result, "io_uring has no provided-buffer rings here (Linux 6.1 does)");
  }
  entries_ = static_cast<io_uring_buf_ring*>(memory);
  return {};
}

bool ProvidedBuffers::grow() {
  const BufferSlabs::Range made = slabs_.grow();
  for (std::uint32_t i = 0; i < made.count; ++i) take_back(slabs_.at(made.first + i));
  return made.count > 0;
}

void ProvidedBuffers::take_back(Buffer& buffer) noexcept {
  poison(buffer.data, buffer.capacity);
  io_uring_buf_ring_add(entries_, buffer.data, buffer_size(), buffer.id,
                        static_cast<int>(ring_size_ - 1), unpublished_);
  ++unpublished_;
  ++available_;
}

}  // namespace doorward::loop
