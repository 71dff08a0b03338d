// LogFile: where the access log's bytes go: stdout, stderr, a file or a FIFO. Owner: the access
// log's writer thread. Writes do not block on pipes and terminals, so that a reader which stands
// still can never hold up the end of the process.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::observe {

class LogFile {
 public:
  // "stdout", "stderr" or a path, created if missing (mode 0640) and appended to.
  static Result<LogFile> open(const std::string& path);

  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  int fd() const { return fd_; }
  // Bytes taken: 0 when the reader is not ready (wait for POLLOUT on fd()).
  Result<std::size_t> write(std::string_view bytes);

 private:
  LogFile(int fd, std::size_t most) : fd_(fd), most_(most) {}
  static Result<LogFile> from_standard(int fd);

  int fd_;
  std::size_t most_;  // largest write that cannot block once POLLOUT is told; 0 = any
};

}  // namespace doorward::observe
