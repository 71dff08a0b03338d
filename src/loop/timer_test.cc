#include "loop/timer.h"

#include <gtest/gtest.h>
#include <memory>
#include <vector>

namespace doorward::loop {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};
constexpr milliseconds kTick{17};

class Recorder final : public TimerTarget {
 public:
  explicit Recorder(const TimePoint& now) : now_(now) {}
  void on_timer(Timer&) override { fired.push_back(now_); }
  std::vector<TimePoint> fired;

 private:
  const TimePoint& now_;
};

class TimerTest : public testing::Test {
 protected:
  // As the loop does: sleeps until the wheel wants to be advanced.
  void run_until(TimePoint end) {
    while (wheel_.next() <= end) {
      now_ = wheel_.next();
      ++wakes_;
      wheel_.advance(now_);
    }
    now_ = end;
    wheel_.advance(now_);
  }
  Deadline in(milliseconds wait) { return Deadline(now_ + wait); }

  TimePoint now_ = kStart;
  TimerWheel wheel_{kStart};
  Recorder recorder_{now_};
  Timer timer_{recorder_};
  int wakes_ = 0;
};

TEST_F(TimerTest, FiresNeverEarlyAndATickLateAtMost) {
  for (const milliseconds wait :
       {milliseconds(0), milliseconds(1), milliseconds(16), milliseconds(17), milliseconds(1000),
        milliseconds(68'000), milliseconds(70'000), milliseconds(3'600'000)}) {
    recorder_.fired.clear();
    const TimePoint due = now_ + wait;
    wheel_.arm(timer_, Deadline(due));
    EXPECT_TRUE(timer_.is_armed());
    run_until(due + seconds(1));
    ASSERT_EQ(recorder_.fired.size(), 1u) << wait.count();
    EXPECT_GE(recorder_.fired[0], due);
    EXPECT_LE(recorder_.fired[0], due + kTick);
    EXPECT_FALSE(timer_.is_armed());
  }
}

TEST_F(TimerTest, MovedLaterItFiresOnceAtTheLaterMoment) {
  wheel_.arm(timer_, in(milliseconds(100)));
  for (int i = 0; i < 50; ++i) {
    run_until(now_ + milliseconds(50));
    wheel_.arm(timer_, in(milliseconds(100)));
  }
  EXPECT_TRUE(recorder_.fired.empty());
  EXPECT_LE(wakes_, 30);  // it is filed anew only when its slot comes up
  const TimePoint due = timer_.deadline();
  run_until(due + seconds(1));
  ASSERT_EQ(recorder_.fired.size(), 1u);
  EXPECT_GE(recorder_.fired[0], due);
}

TEST_F(TimerTest, MovedEarlierItFiresAtTheEarlierMoment) {
  wheel_.arm(timer_, in(hours(1)));
  wheel_.arm(timer_, in(milliseconds(40)));
  run_until(now_ + milliseconds(40) + kTick);
  EXPECT_EQ(recorder_.fired.size(), 1u);
}

TEST_F(TimerTest, DisarmedItNeverFiresAndEmptiesTheWheel) {
  wheel_.arm(timer_, in(milliseconds(40)));
  wheel_.disarm(timer_);
  run_until(now_ + seconds(1));
  EXPECT_TRUE(recorder_.fired.empty());
  EXPECT_EQ(wheel_.next(), TimePoint::max());
}

TEST_F(TimerTest, ALongSleepOfTheLoopFiresEverythingOnce) {
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 10'000; ++i) {
    timers.push_back(std::make_unique<Timer>(recorder_));
    wheel_.arm(*timers.back(), in(milliseconds(i * 13)));
  }
  now_ += hours(1);
  wheel_.advance(now_);
  EXPECT_EQ(recorder_.fired.size(), 10'000u);
  EXPECT_EQ(wheel_.next(), TimePoint::max());
}

// Destroys its neighbours and arms itself again while its slot is run.
class Destroyer final : public TimerTarget {
 public:
  Destroyer(TimerWheel& wheel, std::vector<std::unique_ptr<Timer>>& timers)
      : wheel_(wheel), timers_(timers) {}
  void on_timer(Timer& timer) override {
    ++fired;
    std::erase_if(timers_, [&](const auto& other) { return other.get() != &timer; });
    if (fired < 3) wheel_.arm(timer, Deadline(timer_due));
  }
  int fired = 0;
  TimePoint timer_due = kStart;

 private:
  TimerWheel& wheel_;
  std::vector<std::unique_ptr<Timer>>& timers_;
};

TEST_F(TimerTest, CallbacksMayDestroyAndArmTimers) {
  std::vector<std::unique_ptr<Timer>> timers;
  Destroyer destroyer(wheel_, timers);
  for (int i = 0; i < 10; ++i) {
    timers.push_back(std::make_unique<Timer>(destroyer));
    wheel_.arm(*timers.back(), in(milliseconds(5)));
  }
  run_until(now_ + seconds(1));
  EXPECT_EQ(destroyer.fired, 3);
  EXPECT_EQ(timers.size(), 1u);
}

}  // namespace
}  // namespace doorward::loop
