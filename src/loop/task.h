// Task<T>: a lazy coroutine, or a value that is there already. `co_await`ing one runs it by
// symmetric transfer; a ready Task costs no frame (`return Task<T>(value)`).
//
// The rules that keep coroutines safe here:
//  - A Task is awaited or spawned into a Gate exactly once; its frame is never destroyed while it
//    waits. Cancelling means cancelling the operation, which resumes its waiter with an Error.
//  - Parameters are taken by value, or are owned by something that outlives the Task.
//  - No capturing lambda is a coroutine; no lock is held across co_await.
// Frames come from a free list per core (frame_pool.h).
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.h"
#include "loop/frame_pool.h"

namespace doorward::loop {

namespace detail {

struct PooledFrame {
  static void* operator new(std::size_t size) { return frame_allocate(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { frame_free(frame, size); }
};

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    return self.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct PromiseBase : PooledFrame {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : detail::PromiseBase {
    std::optional<T> value;
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
  };
  using Handle = std::coroutine_handle<promise_type>;

  explicit(false) Task(T ready) : ready_(std::move(ready)) {}
  Task(Task&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), ready_(std::move(other.ready_)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool is_ready() const { return !handle_; }
  // The value of a Task that is_ready().
  T take() { return std::move(*ready_); }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Task& task;
      bool await_ready() const noexcept { return !task.handle_; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
        task.handle_.promise().continuation = waiter;
        return task.handle_;
      }
      T await_resume() {
        if (!task.handle_) return std::move(*task.ready_);
        return std::move(*task.handle_.promise().value);
      }
    };
    return Awaiter{*this};
  }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_ = nullptr;
  std::optional<T> ready_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  struct promise_type : detail::PromiseBase {
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    void return_void() const noexcept {}
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;  // ready
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool is_ready() const { return !handle_; }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle handle;
      bool await_ready() const noexcept { return !handle; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
        handle.promise().continuation = waiter;
        return handle;
      }
      void await_resume() const noexcept {}
    };
    return Awaiter{handle_};
  }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_ = nullptr;
};

// Gate: the scope of spawned tasks. What is spawned runs at once until its first wait; whoever
// owns the Gate must `co_await close()` before it goes, which waits until all of them ended.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { DOORWARD_CHECK(count_ == 0); }

  void spawn(Task<void> task);
  std::size_t count() const { return count_; }

  auto close() noexcept {
    struct Awaiter {
      Gate& gate;
      bool await_ready() const noexcept { return gate.count_ == 0; }
      void await_suspend(std::coroutine_handle<> waiter) noexcept { gate.waiter_ = waiter; }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

 private:
  struct Runner;
  static Runner run(Gate& gate, Task<void> task);
  void leave();

  std::size_t count_ = 0;
  std::coroutine_handle<> waiter_ = nullptr;
};

}  // namespace doorward::loop
