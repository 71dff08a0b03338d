#include "observe/time_text.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace doorward::observe {
namespace {

// The last `digits` digits of `value`.
void write_digits(char* to, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

void renew(TimeStamp& stamp, std::int64_t second) {
  using std::chrono::sys_days, std::chrono::sys_seconds, std::chrono::seconds;
  const sys_seconds time{seconds(second)};
  const sys_days day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::memcpy(stamp.text, "0000-00-00T00:00:00.", sizeof stamp.text);
  write_digits(stamp.text, static_cast<unsigned>(std::max(0, static_cast<int>(date.year()))), 4);
  write_digits(stamp.text + 5, static_cast<unsigned>(date.month()), 2);
  write_digits(stamp.text + 8, static_cast<unsigned>(date.day()), 2);
  write_digits(stamp.text + 11, static_cast<unsigned>(clock.hours().count()), 2);
  write_digits(stamp.text + 14, static_cast<unsigned>(clock.minutes().count()), 2);
  write_digits(stamp.text + 17, static_cast<unsigned>(clock.seconds().count()), 2);
  stamp.second = second;
}

}  // namespace

char* write_time(char* to, WallTime time, TimeStamp& stamp) {
  const auto millis =
      std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::int64_t second = millis >= 0 ? millis / 1000 : (millis - 999) / 1000;
  if (second != stamp.second) [[unlikely]]
    renew(stamp, second);
  std::memcpy(to, stamp.text, sizeof stamp.text);
  write_digits(to + 20, static_cast<unsigned>(millis - second * 1000), 3);
  to[23] = 'Z';
  return to + kTimeLength;
}

}  // namespace doorward::observe
