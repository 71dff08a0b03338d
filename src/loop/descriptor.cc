#include "loop/descriptor.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <linux/filter.h>
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

// A filter of a TCP socket sees segments from their header on; the flags are its 14th byte (RFC
// 9293 §3.1). Connections that are made of the socket inherit it, and it says nothing of their
// segments.
void hear_no_newcomers(int listening_fd) {
  constexpr std::uint32_t kFlags = 13;
  constexpr std::uint32_t kDrop = 0, kKeep = 0xffffffff;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlags),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kDrop),
      BPF_STMT(BPF_RET | BPF_K, kKeep),
  };
  const sock_fprog filter{std::size(program), program};
  int domain = AF_UNIX;
  socklen_t size = sizeof domain;
  getsockopt(listening_fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  if (domain == AF_UNIX) return;
  // Where a sandbox refuses it, who connects in the last moment is reset, as everywhere else.
  setsockopt(listening_fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

Failure connect_failure(const Address& to, int error) {
  if (error == ETIME) error = ETIMEDOUT;
  Error result = system_error(error, fmt::format("connect to {}", to.text()));
  result.retry = Retry::yes;
  return Failure(std::move(result));
}

}  // namespace doorward::loop
