// FramePool: coroutine frames by size class, kept per thread and given back to the heap when the
// thread ends, so that a frame costs a pointer's move while a core runs.
// Subtle: the lists are trivially destructible, so reaching them needs no guard; what empties them
// at the thread's end is registered where a frame comes from the heap, which is rare.
#pragma once

#include <cstddef>

namespace doorward::loop {

class FramePool {
 public:
  // Frames larger than this go to the heap and back.
  static constexpr std::size_t kLargest = 4032;

  static void* allocate(std::size_t size);
  // By the thread that has allocated it.
  static void free(void* frame, std::size_t size) noexcept;
};

// Where Task gets its frames: the pool; under AddressSanitizer the heap, so that a frame that is
// used after its end is found.
void* frame_allocate(std::size_t size);
void frame_free(void* frame, std::size_t size) noexcept;

}  // namespace doorward::loop
