#include "loop/task.h"

namespace doorward::loop {

// Starts at once, frees its own frame at the end.
struct Gate::Runner {
  struct promise_type : detail::PooledFrame {
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
