#include "loop/descriptor.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace doorward::loop {

Result<int> open_stream(const Address& to) {
  const int fd = socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_failure(errno, fmt::format("open a socket to {}", to.text()));
  if (!to.is_unix()) set_no_delay(fd);
  return fd;
}

void set_blocking(int fd, bool blocking) {
  const int flags = fcntl(fd, F_GETFL);
  const int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (wanted != flags) fcntl(fd, F_SETFL, wanted);
}

void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Failure connect_failure(const Address& to, int error) {
  if (error == ETIME) error = ETIMEDOUT;
  Error result = system_error(error, fmt::format("connect to {}", to.text()));
  result.retry = Retry::yes;
  return Failure(std::move(result));
}

}  // namespace doorward::loop
