// LoopTest: the fixture of tests that run over both backends: one Loop, a listener, pairs of
// connected sockets. Only *_test.cc files include it.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/acceptor.h"
#include "loop/socket.h"

namespace doorward::loop {

inline constexpr Duration kSoon{5000};  // a deadline that no passing test reaches

class LoopTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { make_loop({.backend = GetParam()}); }
  void TearDown() override {
    for (const int fd : descriptors_) close(fd);
  }

  void make_loop(LoopOptions options) {
    options.backend = GetParam();
    loop_.reset();
    auto made = Loop::create(options);
    ASSERT_TRUE(made.has_value()) << made.error().cause;
    loop_ = std::move(*made);
  }

  Deadline soon() { return Deadline::after(loop_->now(), kSoon); }
  Deadline in(int ms) { return Deadline::after(loop_->now(), Duration(ms)); }

  // Ends when all of the gate's have.
  static Task<void> all_of(Gate& gate) { co_await gate.close(); }

  // Runs the loop until `task` has ended.
  void run(Task<void> task) {
    Gate gate;
    gate.spawn(stop_after(*loop_, std::move(task)));
    loop_->run();
    ASSERT_EQ(gate.count(), 0u);
  }

  // A socket with that address; connections are refused until somebody listens on it.
  int bind_to(Address& address) {
    const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    descriptors_.push_back(fd);
    EXPECT_EQ(bind(fd, address.raw(), address.size()), 0) << address.text();
    sockaddr_storage raw{};
    socklen_t size = sizeof raw;
    getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &size);
    address = Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size);
    return fd;
  }
  int listen_on(Address& address) {
    const int fd = bind_to(address);
    EXPECT_EQ(listen(fd, 1024), 0);
    return fd;
  }
  int listen_on_loopback(Address& address) {
    address = *Address::parse("127.0.0.1:0");
    return listen_on(address);
  }
  int bind_to_loopback(Address& address) {
    address = *Address::parse("127.0.0.1:0");
    return bind_to(address);
  }

  // Both ends of a TCP connection over loopback; the second is a plain blocking descriptor.
  std::pair<std::unique_ptr<Socket>, int> connected() {
    Address address;
    const int listening = listen_on_loopback(address);
    const int theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(theirs, address.raw(), address.size()), 0);
    const int ours = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    return {loop_->adopt(ours), theirs};
  }

  std::unique_ptr<Loop> loop_;
  std::vector<int> descriptors_;

 private:
  static Task<void> stop_after(Loop& loop, Task<void> task) {
    co_await std::move(task);
    loop.stop();
  }
};

inline iovec part_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

inline Task<Result<void>> send_all(Socket& socket, std::string bytes, Deadline deadline) {
  const iovec part = part_of(bytes);
  co_return co_await socket.send({&part, 1}, deadline);
}

// Receives until there are `count` bytes, or the end.
inline Task<std::string> receive(Socket& socket, std::size_t count, Deadline deadline) {
  std::string bytes;
  while (bytes.size() < count) {
    auto chunk = co_await socket.recv(deadline);
    if (!chunk || chunk->empty()) break;
    bytes += chunk->view();
  }
  co_return bytes;
}

inline std::string backend_name(const testing::TestParamInfo<Backend>& backend) {
  return backend.param == Backend::uring ? "uring" : "epoll";
}

#define DOORWARD_BOTH_BACKENDS(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(Backends, suite, testing::Values(Backend::uring, Backend::epoll), \
                           backend_name)

}  // namespace doorward::loop
