#include "loop/frame_pool.h"

#include <array>
#include <cstdlib>

#include "base/check.h"

namespace doorward::loop {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = FramePool::kLargest / kStep + 1;

struct FreeFrame {
  FreeFrame* next;
};

thread_local constinit std::array<FreeFrame*, kClasses> free_frames{};

struct GivesBack {
  ~GivesBack() {
    for (FreeFrame*& first : free_frames) {
      while (FreeFrame* frame = first) {
        first = frame->next;
        std::free(frame);
      }
    }
  }
};

std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }

void* from_heap(std::size_t size) {
  void* frame = std::malloc(size);
  DOORWARD_CHECK(frame != nullptr);
  return frame;
}

}  // namespace

void* FramePool::allocate(std::size_t size) {
  const std::size_t size_class = class_of(size);
  if (size_class >= kClasses) return from_heap(size);
  if (FreeFrame* frame = free_frames[size_class]) [[likely]] {
    free_frames[size_class] = frame->next;
    return frame;
  }
  static thread_local GivesBack at_thread_end;
  return from_heap(size_class * kStep);
}

void FramePool::free(void* frame, std::size_t size) noexcept {
  const std::size_t size_class = class_of(size);
  if (size_class >= kClasses) return std::free(frame);
  auto* free = static_cast<FreeFrame*>(frame);
  free->next = free_frames[size_class];
  free_frames[size_class] = free;
}

#if __has_feature(address_sanitizer)
void* frame_allocate(std::size_t size) { return from_heap(size); }
void frame_free(void* frame, std::size_t) noexcept { std::free(frame); }
#else
void* frame_allocate(std::size_t size) { return FramePool::allocate(size); }
void frame_free(void* frame, std::size_t size) noexcept { FramePool::free(frame, size); }
#endif

}  // namespace doorward::loop
