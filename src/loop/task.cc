#include "loop/task.h"

#include <array>
#include <cstdlib>

namespace doorward::loop {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 64;  // frames up to 4 KiB; larger ones go to the heap

struct FreeFrame {
  FreeFrame* next;
};

// Trivially destructible, so that frames that end with their thread may still be freed.
thread_local std::array<FreeFrame*, kClasses> free_frames{};

std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }

}  // namespace

void* frame_allocate(std::size_t size) {
  const std::size_t size_class = class_of(size);
  if (size_class < kClasses) {
    if (FreeFrame* frame = free_frames[size_class]) {
      free_frames[size_class] = frame->next;
      return frame;
    }
    size = size_class * kStep;
  }
  void* frame = std::malloc(size);
  DOORWARD_CHECK(frame != nullptr);
  return frame;
}

void frame_free(void* frame, std::size_t size) noexcept {
  const std::size_t size_class = class_of(size);
  if (size_class >= kClasses) return std::free(frame);
  auto* free = static_cast<FreeFrame*>(frame);
  free->next = free_frames[size_class];
  free_frames[size_class] = free;
}

// Starts at once, frees its own frame at the end.
struct Gate::Runner {
  struct promise_type : detail::FramePool {
    Runner get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

Gate::Runner Gate::run(Gate& gate, Task<void> task) {
  {
    Task<void> owned = std::move(task);
    co_await std::move(owned);
  }  // its frame goes first: what it owns may need what the Gate's owner frees next
  gate.leave();
}

void Gate::spawn(Task<void> task) {
  ++count_;
  run(*this, std::move(task));
}

void Gate::leave() {
  --count_;
  if (count_ == 0 && waiter_) std::exchange(waiter_, nullptr).resume();
}

}  // namespace doorward::loop
