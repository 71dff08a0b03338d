// UTC time of log lines: "2026-01-02T03:04:05.678Z" (RFC 3339). The date is worked out once a
// second and kept in a TimeStamp, which belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace doorward::observe {

inline constexpr std::size_t kTimeLength = 24;

struct TimeStamp {
  std::int64_t second = INT64_MIN;
  char text[20] = {};  // "2026-01-02T03:04:05."
};

// Writes kTimeLength characters and returns the end.
char* write_time(char* to, WallTime time, TimeStamp& stamp);

}  // namespace doorward::observe
