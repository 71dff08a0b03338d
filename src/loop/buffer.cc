#include "loop/buffer.h"

#include <algorithm>

#include "base/check.h"

namespace doorward::loop {

namespace {

// Between buffers, so that the first lines of all of them do not share a few sets of the
// processor's cache.
constexpr std::size_t kStagger = 5 * 64;

}  // namespace

BufferSlabs::Range BufferSlabs::grow() {
  const Range range{count_, std::min(per_slab(), count_max_ - count_)};
  if (range.count == 0) return range;
  const std::size_t stride = buffer_size_ + kStagger;
  const std::size_t bytes = (range.count * stride + 4095) / 4096 * 4096;
  Slab slab;
  slab.buffers = std::make_unique<Buffer[]>(per_slab());
  slab.memory.reset(static_cast<char*>(std::aligned_alloc(4096, bytes)));
  DOORWARD_CHECK(slab.memory != nullptr);
  for (std::uint32_t i = 0; i < range.count; ++i) {
    Buffer& buffer = slab.buffers[i];
    buffer.owner = &owner_;
    buffer.data = slab.memory.get() + i * stride;
    buffer.capacity = buffer_size_;
    buffer.id = static_cast<std::uint16_t>(range.first + i);
  }
  slabs_.push_back(std::move(slab));
  count_ += range.count;
  return range;
}

}  // namespace doorward::loop
