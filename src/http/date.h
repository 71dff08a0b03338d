// HTTP dates in the one form that senders use: IMF-fixdate (RFC 9110 §5.6.7).
// DateCache formats once a second. Owner: a core; one thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace doorward::http {

inline constexpr std::size_t kDateSize = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

// `unix_seconds` is clamped to the years 1970..9999.
void format_date(std::int64_t unix_seconds, std::span<char, kDateSize> to);

class DateCache {
 public:
  // The view is good until the next call with another second.
  std::string_view at(std::int64_t unix_seconds) {
    if (unix_seconds != second_) [[unlikely]] {
      second_ = unix_seconds;
      format_date(unix_seconds, text_);
    }
    return {text_, kDateSize};
  }

 private:
  std::int64_t second_ = -1;
  char text_[kDateSize] = {};
};

}  // namespace doorward::http
