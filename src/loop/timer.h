// TimerWheel: every deadline of a core, in 4,096 slots of 16.8 ms. A Timer is an intrusive node: it
// costs its owner 40 bytes and no allocation, and leaves the wheel with its owner.
//
// Subtle: deadlines are lazy. Moving one later (the usual case: each request moves its
// connection's) or taking it away is one store; the node stays where it is filed and is filed anew
// only when that slot comes up. A Timer never fires early, and up to one tick (plus a turn) late.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace doorward::loop {

class Timer;

class TimerTarget {
 public:
  // The deadline has passed; the timer is disarmed and may be armed again or destroyed here.
  virtual void on_timer(Timer& timer) = 0;

 protected:
  ~TimerTarget() = default;
};

class Timer {
 public:
  explicit Timer(TimerTarget& target) : target_(target) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { unlink(); }

  bool is_armed() const { return deadline_ != TimePoint::max(); }
  TimePoint deadline() const { return deadline_; }

 private:
  friend class TimerWheel;
  void unlink() {
    if (link_ == nullptr) return;
    *link_ = next_;
    if (next_ != nullptr) next_->link_ = link_;
    link_ = nullptr;
  }

  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points at this node; null when it is in no slot
  TimePoint deadline_ = TimePoint::max();
  TimePoint filed_after_{};  // its slot comes up at the first tick after this
  TimerTarget& target_;
};

class TimerWheel {
 public:
  explicit TimerWheel(TimePoint now) : tick_(tick_of(now)) {}

  void arm(Timer& timer, Deadline deadline) {
    timer.deadline_ = deadline.at();
    if (timer.link_ != nullptr && timer.filed_after_ < timer.deadline_) [[likely]]
      return;
    file(timer);
  }
  void disarm(Timer& timer) { timer.deadline_ = TimePoint::max(); }

  // Fires what is due. Callbacks may arm, disarm and destroy any timer.
  void advance(TimePoint now);

  // When the wheel wants to be advanced next; TimePoint::max() when it is empty. May be earlier
  // than the next deadline (a lazy one), never later by more than a tick.
  TimePoint next() const;

 private:
  static constexpr int kTickShift = 24;  // 2^24 ns = 16.8 ms
  static constexpr std::uint64_t kSlots = 4096;

  static std::uint64_t tick_of(TimePoint at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count()) >> kTickShift;
  }
  static TimePoint start_of(std::uint64_t tick) {
    return TimePoint(TimePoint::duration(static_cast<std::int64_t>(tick << kTickShift)));
  }
  void file(Timer& timer);
  void run_slot(std::uint64_t slot, TimePoint now);
  std::uint64_t next_tick() const;

  std::uint64_t tick_;  // the last tick that was run
  std::array<Timer*, kSlots> slots_{};
  std::array<std::uint64_t, kSlots / 64> used_{};  // a bit per slot that may hold timers
  std::uint64_t used_words_ = 0;                   // a bit per word of `used_` that is not zero
};

}  // namespace doorward::loop
