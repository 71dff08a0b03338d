// Time as the loop hands it out: read once a turn, so that nothing on a request's path asks the
// kernel for it. TimePoint is monotonic; WallTime is for logs and the Date header.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/units.h"

namespace doorward {

using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// From one to a later one, in whole microseconds.
constexpr std::uint64_t micros(TimePoint from, TimePoint to) {
  using std::chrono::duration_cast;
  return static_cast<std::uint64_t>(duration_cast<std::chrono::microseconds>(to - from).count());
}

// The moment at which a wait is given up. `never()` is for waits that something else bounds.
class Deadline {
 public:
  constexpr Deadline() = default;
  constexpr explicit Deadline(TimePoint at) : at_(at) {}
  static constexpr Deadline never() { return Deadline(TimePoint::max()); }
  static Deadline after(TimePoint now, Duration wait) { return Deadline(now + wait); }

  constexpr TimePoint at() const { return at_; }
  constexpr bool is_never() const { return at_ == TimePoint::max(); }
  constexpr bool passed(TimePoint now) const { return at_ <= now; }
  constexpr Deadline earlier(Deadline other) const { return at_ < other.at_ ? *this : other; }

 private:
  TimePoint at_ = TimePoint::max();
};

}  // namespace doorward
