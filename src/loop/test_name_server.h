// NameServer: what tests resolve names by, without a network. Owner: the test, which stops it
// before its loop goes. Only *_test.cc files include it.
#pragma once

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/address.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace doorward::loop {

// A name server on the test's own loop. Knows two.test (two A records, TTL 30 and 20), answers
// NXDOMAIN to other names and nothing at all to names that begin with "silent".
class NameServer {
 public:
  explicit NameServer(Loop& loop) : loop_(loop) {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    address_ = *Address::parse("127.0.0.1:0");
    EXPECT_EQ(bind(fd_, address_.raw(), address_.size()), 0);
    sockaddr_in raw{};
    socklen_t size = sizeof raw;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&raw), &size);
    address_ = Address::from_raw(reinterpret_cast<sockaddr*>(&raw), size);
    gate_.spawn(serve());
  }
  ~NameServer() { close(fd_); }

  Task<void> stop() {
    stopped_ = true;
    loop_.cancel_waits(fd_);
    co_await gate_.close();
  }
  std::string address() const { return address_.text(); }
  int asked() const { return asked_; }

 private:
  Task<void> serve() {
    while (!stopped_ && co_await loop_.readable(fd_, Deadline::never())) answer();
  }

  void answer() {
    std::array<char, 512> bytes;
    sockaddr_in from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 17) return;
    ++asked_;
    const std::string_view query(bytes.data(), static_cast<std::size_t>(size));
    const std::size_t name_end = query.find('\0', 12);
    const std::string_view name = query.substr(12, name_end - 12);
    const bool is_a = query.substr(name_end + 1, 2) == std::string_view("\0\1", 2);
    if (name.starts_with("\6silent")) return;
    const bool known = name == "\3two\4test";
    std::string reply(query.substr(0, name_end + 5));
    reply[2] = '\x81';
    reply[3] = known ? '\x80' : '\x83';  // NXDOMAIN
    reply[7] = known && is_a ? 2 : 0;
    std::memset(reply.data() + 8, 0, 4);
    if (known && is_a) reply += record(30, "\12\0\0\1") + record(20, "\12\0\0\2");
    sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), from_size);
  }
  static std::string record(char ttl, const char* ip) {
    std::string bytes("\xc0\x0c\0\1\0\1\0\0\0", 9);  // the name asked for, A, IN
    bytes += ttl;
    return bytes.append("\0\4", 2).append(ip, 4);
  }

  Loop& loop_;
  int fd_ = -1;
  Address address_;
  bool stopped_ = false;
  int asked_ = 0;
  Gate gate_;
};

}  // namespace doorward::loop
