// What both floor relays share: arguments, the listening socket and the connection to the backend.
// Owner: main() of each relay. A relay knows no HTTP: its cost is what the kernel's TCP takes.
#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace doorward::floor_relay {

// Ends the program when a system call that must succeed did not.
inline int must(int result, const char* what) {
  if (result >= 0) return result;
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

inline sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline void set_no_delay(int fd) {
  const int on = 1;
  must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

inline int listen_on(const sockaddr_in& address, int flags) {
  const int fd = must(socket(AF_INET, SOCK_STREAM | flags, 0), "socket");
  const int on = 1;
  must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  must(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  must(listen(fd, 4096), "listen");
  return fd;
}

// Connects while it waits: once per client connection, so no part of a request's cost.
inline int connect_to(const sockaddr_in& address) {
  const int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
  must(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  set_no_delay(fd);
  return fd;
}

inline void require_arguments(int count, char** arguments) {
  if (count == 3) return;
  std::fprintf(stderr, "usage: %s PORT BACKEND_PORT\n", arguments[0]);
  std::exit(2);
}

}  // namespace doorward::floor_relay
