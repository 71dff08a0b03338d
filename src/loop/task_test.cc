#include "loop/task.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace doorward::loop {
namespace {

// Waits until the test resumes it.
class Signal {
 public:
  auto wait() {
    struct Awaiter {
      Signal& signal;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) { signal.waiters_.push_back(waiter); }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }
  void fire() {
    auto waiters = std::move(waiters_);
    for (const auto waiter : waiters) waiter.resume();
  }

 private:
  std::vector<std::coroutine_handle<>> waiters_;
};

Task<int> ready_number(int number) { return number; }
Task<int> made_number(int number) { co_return number; }
Task<void> nothing() { co_return; }

Task<void> add_up(long& sum, int count) {
  for (int i = 0; i < count; ++i) {
    sum += co_await made_number(1);
    sum += co_await ready_number(1);
    co_await nothing();
  }
}

TEST(TaskTest, AReadyTaskHasNoFrame) {
  Task<int> task = ready_number(7);
  EXPECT_TRUE(task.is_ready());
  EXPECT_EQ(task.take(), 7);
  EXPECT_TRUE(Task<void>().is_ready());
  EXPECT_FALSE(made_number(7).is_ready());
}

TEST(TaskTest, AwaitingDoesNotGrowTheStack) {
  long sum = 0;
  Gate gate;
  gate.spawn(add_up(sum, 1'000'000));
  EXPECT_EQ(sum, 2'000'000);
}

Task<int> depth(int left) {
  if (left == 0) co_return 0;
  co_return 1 + co_await depth(left - 1);
}
Task<void> dive(int& reached) { reached = co_await depth(100'000); }

TEST(TaskTest, DeepChainsUnwindWithoutStack) {
  int reached = 0;
  Gate gate;
  gate.spawn(dive(reached));
  EXPECT_EQ(reached, 100'000);
}

Task<std::unique_ptr<int>> boxed(int number) { co_return std::make_unique<int>(number); }
Task<void> unbox(std::string text, std::vector<std::string>& out, Signal& signal) {
  Task<std::unique_ptr<int>> task = boxed(5);
  auto box = co_await std::move(task);  // a moved Task, not a temporary
  co_await signal.wait();
  out.push_back(text + std::to_string(*box + *co_await boxed(1)));
}

TEST(TaskTest, MovedAndTemporaryTasksKeepTheirValues) {
  std::vector<std::string> out;
  Signal signal;
  Gate gate;
  gate.spawn(unbox("a longer text that lies on the heap ", out, signal));
  EXPECT_EQ(gate.count(), 1u);
  signal.fire();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0], "a longer text that lies on the heap 6");
}

// Tells when the frame that owns it is destroyed.
struct Witness {
  explicit Witness(std::vector<std::string>& to) : log(&to) {}
  Witness(Witness&& other) noexcept : log(std::exchange(other.log, nullptr)) {}
  ~Witness() {
    if (log != nullptr) log->push_back("frame gone");
  }
  std::vector<std::string>* log;
};

Task<void> wait_with(Witness, Signal& signal) { co_await signal.wait(); }
Task<void> close_gate(Gate& gate, std::vector<std::string>& log) {
  co_await gate.close();
  log.push_back("closed");
}

TEST(GateTest, CloseWaitsUntilTheFramesAreGone) {
  std::vector<std::string> log;
  Signal signal;
  Gate gate;
  Gate outer;
  gate.spawn(wait_with(Witness(log), signal));
  gate.spawn(wait_with(Witness(log), signal));
  outer.spawn(close_gate(gate, log));
  EXPECT_EQ(gate.count(), 2u);
  EXPECT_TRUE(log.empty());
  signal.fire();
  EXPECT_EQ(log, (std::vector<std::string>{"frame gone", "frame gone", "closed"}));
  EXPECT_EQ(gate.count(), 0u);
}

TEST(GateTest, AnEmptyGateClosesAtOnce) {
  std::vector<std::string> log;
  Gate gate;
  Gate outer;
  outer.spawn(close_gate(gate, log));
  EXPECT_EQ(log.size(), 1u);
}

}  // namespace
}  // namespace doorward::loop
