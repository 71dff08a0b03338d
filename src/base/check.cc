#include "base/check.h"

#include <cstdio>
#include <cstdlib>
#include <execinfo.h>
#include <unistd.h>

namespace doorward {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "doorward: check failed: %s (%s:%d)\n", condition, file, line);
  void* frames[64];
  backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
  std::abort();
}

}  // namespace doorward
