// DOORWARD_CHECK(condition): a programmer's error aborts with the place and a stack trace, in
// release builds too. Not for bad input: that is a Result.
#pragma once

namespace doorward {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define DOORWARD_CHECK(condition)         \
  (static_cast<bool>(condition) ? void(0) \
                                : ::doorward::check_failed(#condition, __FILE__, __LINE__))
