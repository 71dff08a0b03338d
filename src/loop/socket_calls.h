// recv, send and sendmsg without a cancellation point. With more than one thread glibc's own arm
// and disarm thread cancellation around each call, two locked operations that nothing here needs:
// no thread of Doorward is ever cancelled. Results and errno are those of recv(2) and send(2).
// Sanitizers watch glibc's calls and not the raw ones, so under them glibc's are taken.
#pragma once

#include <cstddef>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace doorward::loop {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline ssize_t recv_bytes(int fd, void* to, std::size_t room) { return recv(fd, to, room, 0); }

inline ssize_t send_bytes(int fd, const void* bytes, std::size_t size) {
  return send(fd, bytes, size, MSG_NOSIGNAL);
}

inline ssize_t send_message(int fd, const msghdr& message) {
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}
#else
inline ssize_t recv_bytes(int fd, void* to, std::size_t room) {
  return syscall(SYS_recvfrom, fd, to, room, 0, nullptr, nullptr);
}

inline ssize_t send_bytes(int fd, const void* bytes, std::size_t size) {
  return syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, nullptr, 0);
}

inline ssize_t send_message(int fd, const msghdr& message) {
  return syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
}
#endif

}  // namespace doorward::loop
