#include "observe/log_file.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace doorward::observe {
namespace {

constexpr mode_t kFileMode = 0640;

}  // namespace

Result<LogFile> LogFile::open(const std::string& path) {
  if (path == "stdout") return from_standard(STDOUT_FILENO);
  if (path == "stderr") return from_standard(STDERR_FILENO);
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int fd = ::open(path.c_str(), flags, kFileMode);
  if (fd >= 0) return LogFile(fd, 0);
  if (errno == ENXIO) {
    return fail(ErrorKind::system, fmt::format("cannot open {}: no process reads this FIFO", path),
                ENXIO);
  }
  return system_failure(errno, fmt::format("cannot open {}", path));
}

// O_NONBLOCK on the inherited descriptor would change it for the shell and for every other process
// that has it. A pipe or terminal is opened anew instead; where that is refused, and for sockets,
// small writes after POLLOUT do not block.
Result<LogFile> LogFile::from_standard(int standard) {
  struct stat status{};
  if (fstat(standard, &status) != 0) return system_failure(errno, "cannot use standard output");
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    const std::string self = fmt::format("/proc/self/fd/{}", standard);
    const int fd = ::open(self.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) return LogFile(fd, 0);
  }
  const int fd = fcntl(standard, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return system_failure(errno, "cannot use standard output");
  return LogFile(fd, S_ISREG(status.st_mode) ? 0 : PIPE_BUF);
}

LogFile::LogFile(LogFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), most_(other.most_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(most_, other.most_);
  return *this;
}

LogFile::~LogFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::size_t> LogFile::write(std::string_view bytes) {
  if (most_ != 0) {
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, 0) == 0) return 0;
    bytes = bytes.substr(0, most_);
  }
  while (true) {
    const ssize_t taken = ::write(fd_, bytes.data(), bytes.size());
    if (taken >= 0) return static_cast<std::size_t>(taken);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return system_failure(errno, "write");
  }
}

}  // namespace doorward::observe
