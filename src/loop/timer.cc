#include "loop/timer.h"

#include <algorithm>
#include <bit>

namespace doorward::loop {
namespace {

// The position of the first set bit at or after `from`, going round; 64 when there is none.
int first_from(std::uint64_t bits, int from) {
  if (bits == 0) return 64;
  return (std::countr_zero(std::rotr(bits, from)) + from) & 63;
}

}  // namespace

void TimerWheel::file(Timer& timer) {
  timer.unlink();
  if (timer.deadline_ == TimePoint::max()) return;
  // The first tick that begins at or after the deadline, within one round of the wheel.
  const std::uint64_t due = tick_of(timer.deadline_ - TimePoint::duration(1)) + 1;
  const std::uint64_t tick = std::clamp(due, tick_ + 1, tick_ + kSlots - 1);
  timer.filed_after_ = start_of(tick - 1);
  const std::uint64_t slot = tick % kSlots;
  timer.next_ = slots_[slot];
  timer.link_ = &slots_[slot];
  if (timer.next_ != nullptr) timer.next_->link_ = &timer.next_;
  slots_[slot] = &timer;
  used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  used_words_ |= std::uint64_t{1} << (slot / 64);
}

void TimerWheel::advance(TimePoint now) {
  const std::uint64_t target = tick_of(now);
  for (std::uint64_t tick = next_tick(); tick <= target; tick = next_tick()) {
    tick_ = tick;
    run_slot(tick % kSlots, now);
  }
  tick_ = std::max(tick_, target);
}

void TimerWheel::run_slot(std::uint64_t slot, TimePoint now) {
  Timer* due = std::exchange(slots_[slot], nullptr);
  if (due != nullptr) due->link_ = &due;
  used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  if (used_[slot / 64] == 0) used_words_ &= ~(std::uint64_t{1} << (slot / 64));
  while (due != nullptr) {
    Timer& timer = *due;
    timer.unlink();
    if (timer.deadline_ > now) {
      file(timer);
    } else {
      timer.deadline_ = TimePoint::max();
      timer.target_.on_timer(timer);
    }
  }
}

// The first tick after `tick_` whose slot may hold timers; the largest number when there is none.
std::uint64_t TimerWheel::next_tick() const {
  const std::uint64_t start = (tick_ + 1) % kSlots;
  const auto found = [&](std::uint64_t slot) { return tick_ + 1 + ((slot - start) % kSlots); };
  const std::uint64_t rest = used_[start / 64] & (~std::uint64_t{0} << (start % 64));
  if (rest != 0) return found(start / 64 * 64 + static_cast<unsigned>(std::countr_zero(rest)));
  const int word = first_from(used_words_, static_cast<int>((start / 64 + 1) % 64));
  if (word == 64) return ~std::uint64_t{0};
  const std::uint64_t bits = used_[static_cast<unsigned>(word)];
  return found(static_cast<unsigned>(word) * 64u + static_cast<unsigned>(std::countr_zero(bits)));
}

TimePoint TimerWheel::next() const {
  const std::uint64_t tick = next_tick();
  return tick == ~std::uint64_t{0} ? TimePoint::max() : start_of(tick);
}

}  // namespace doorward::loop
