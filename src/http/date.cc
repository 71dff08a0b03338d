// IMF-fixdate without the C library: no locale, no time zone, no allocation.
// Called once a second per core.
#include "http/date.h"

#include <algorithm>
#include <chrono>

namespace doorward::http {
namespace {

constexpr std::int64_t kLastSecond = 253402300799;  // 9999-12-31T23:59:59Z

void two_digits(char* to, unsigned value) {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
}

void put(char* to, std::string_view text) { std::copy(text.begin(), text.end(), to); }

}  // namespace

void format_date(std::int64_t unix_seconds, std::span<char, kDateSize> to) {
  using namespace std::chrono;
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const sys_seconds time{seconds{std::clamp<std::int64_t>(unix_seconds, 0, kLastSecond)}};
  const auto midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{time - midnight};
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  char* at = to.data();
  put(at, kDays.substr(weekday{midnight}.c_encoding() * 3, 3));
  put(at + 3, ", ");
  two_digits(at + 5, static_cast<unsigned>(date.day()));
  put(at + 7, " ");
  put(at + 8, kMonths.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3));
  put(at + 11, " ");
  two_digits(at + 12, year / 100);
  two_digits(at + 14, year % 100);
  put(at + 16, " ");
  two_digits(at + 17, static_cast<unsigned>(clock.hours().count()));
  put(at + 19, ":");
  two_digits(at + 20, static_cast<unsigned>(clock.minutes().count()));
  put(at + 22, ":");
  two_digits(at + 23, static_cast<unsigned>(clock.seconds().count()));
  put(at + 25, " GMT");
}

}  // namespace doorward::http
