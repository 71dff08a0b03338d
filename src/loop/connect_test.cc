// Connecting, accepting, waiting for descriptors, posting: what a Loop does besides its sockets.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <optional>
#include <sys/resource.h>
#include <thread>

#include "loop/loop_fixture.h"

namespace doorward::loop {
namespace {

class LoopBothTest : public LoopTest {};
DOORWARD_BOTH_BACKENDS(LoopBothTest);

Task<void> keep_connect_error(Loop& loop, Address to, Deadline deadline,
                              std::optional<Error>& error) {
  auto socket = co_await loop.connect(to, deadline);
  if (!socket) error = socket.error();
}

TEST_P(LoopBothTest, SaysWhatItIs) {
  EXPECT_EQ(loop_->name(), GetParam() == Backend::uring ? "io_uring" : "epoll");
  EXPECT_FALSE(loop_->choice_reason().empty());
}

TEST_P(LoopBothTest, ARefusedConnectNamesTheAddressAndMayBeTriedAgain) {
  Address address;
  const int bound = listen_on_loopback(address);
  shutdown(bound, SHUT_RDWR);  // keeps the port, listens no more
  std::optional<Error> error;
  run(keep_connect_error(*loop_, address, soon(), error));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::refused);
  EXPECT_EQ(error->retry, Retry::yes);
  EXPECT_EQ(error->cause, "connect to " + address.text() + ": Connection refused");
}

TEST_P(LoopBothTest, AMissingUnixSocketIsUnreachable) {
  std::optional<Error> error;
  run(keep_connect_error(*loop_, *Address::parse("unix:/nonexistent/x.sock"), soon(), error));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::unreachable);
}

TEST_P(LoopBothTest, AnAddressWithoutRouteIsUnreachable) {
  std::optional<Error> error;
  run(keep_connect_error(*loop_, *Address::parse("255.255.255.255:9"), soon(), error));
  ASSERT_TRUE(error.has_value());
  EXPECT_TRUE(error->kind == ErrorKind::unreachable || error->kind == ErrorKind::system);
}

TEST_P(LoopBothTest, ConnectGivesUpAtItsDeadline) {
  // A listener whose backlog is full drops further SYNs.
  Address address = *Address::parse("127.0.0.1:0");
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listening, address.raw(), address.size()), 0);
  ASSERT_EQ(listen(listening, 0), 0);
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  getsockname(listening, reinterpret_cast<sockaddr*>(&raw), &size);
  address = Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size);
  descriptors_.push_back(listening);
  for (int i = 0; i < 3; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    descriptors_.push_back(fd);
    (void)::connect(fd, address.raw(), address.size());
  }
  std::optional<Error> error;
  run(keep_connect_error(*loop_, address, in(50), error));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::timeout);
}

TEST_P(LoopBothTest, RunsPostedWorkInOrderFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  std::vector<std::vector<int>> seen(kThreads);
  int total = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop_->post([&, t, i] {
          seen[static_cast<std::size_t>(t)].push_back(i);
          if (++total == kThreads * kPosts) loop_->stop();
        });
      }
    });
  }
  loop_->run();
  for (std::thread& thread : threads) thread.join();
  for (const auto& order : seen) {
    ASSERT_EQ(order.size(), static_cast<std::size_t>(kPosts));
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  }
}

TEST_P(LoopBothTest, SleepsNoLessThanAsked) {
  const TimePoint before = std::chrono::steady_clock::now();
  run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(30)); }(*loop_));
  EXPECT_GE(std::chrono::steady_clock::now() - before, Duration(29));
}

Task<void> keep_wait(Loop& loop, int fd, bool writing, Deadline deadline,
                     std::optional<Result<void>>& result) {
  result = writing ? co_await loop.writable(fd, deadline) : co_await loop.readable(fd, deadline);
}

TEST_P(LoopBothTest, WaitsForDescriptors) {
  int pipe[2];
  ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
  std::optional<Result<void>> result;
  run(keep_wait(*loop_, pipe[1], true, soon(), result));
  EXPECT_TRUE(result->has_value());
  loop_->post([fd = pipe[1]] { EXPECT_EQ(write(fd, "x", 1), 1); });
  run(keep_wait(*loop_, pipe[0], false, soon(), result));
  EXPECT_TRUE(result->has_value());
  char byte;
  EXPECT_EQ(read(pipe[0], &byte, 1), 1);
  run(keep_wait(*loop_, pipe[0], false, in(5), result));
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().kind, ErrorKind::timeout);
  loop_->post([this, fd = pipe[0]] { loop_->cancel_waits(fd); });
  run(keep_wait(*loop_, pipe[0], false, soon(), result));
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().kind, ErrorKind::cancelled);
  close(pipe[0]);
  close(pipe[1]);
}

// Connects `count` times from a plain thread and closes each again.
std::thread knock(const Address& address, int count) {
  return std::thread([address, count] {
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      EXPECT_EQ(::connect(fd, address.raw(), address.size()), 0);
      close(fd);
    }
  });
}

TEST_P(LoopBothTest, AcceptsAFloodAndStops) {
  Address address;
  const int listening = listen_on_loopback(address);
  int accepted = 0;
  std::unique_ptr<Acceptor> acceptor;
  acceptor = loop_->accept(listening, [&](Result<int> fd, const Address& peer) {
    ASSERT_TRUE(fd.has_value());
    EXPECT_EQ(peer.host(), "127.0.0.1");
    close(*fd);
    if (++accepted == 500) {
      acceptor.reset();  // inside its own callback
      loop_->stop();
    }
  });
  std::thread clients = knock(address, 500);
  loop_->run();
  clients.join();
  knock(address, 3).join();
  run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(1)); }(*loop_));
  EXPECT_EQ(accepted, 500);
}

int count_waiting(int listening) {
  fcntl(listening, F_SETFL, O_NONBLOCK);
  int count = 0;
  for (int fd = 0; (fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ++count) {
    close(fd);
  }
  return count;
}

TEST_P(LoopBothTest, DrainLosesNoConnection) {
  Address address;
  const int listening = listen_on_loopback(address);
  int accepted = 0;
  auto acceptor = loop_->accept(listening, [&](Result<int> fd, const Address&) {
    ++accepted;
    close(*fd);
  });
  run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(1)); }(*loop_));
  knock(address, 3).join();
  run(acceptor->drain());
  const int told = accepted;
  knock(address, 3).join();
  run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(1)); }(*loop_));
  EXPECT_EQ(accepted, told);
  EXPECT_EQ(count_waiting(listening), 6 - told);  // for whoever shares the listener
}

// Lowers the limit of open files for as long as it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t soft) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = soft;
    setrlimit(RLIMIT_NOFILE, &lower);
  }
  ~FileLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_P(LoopBothTest, OutOfDescriptorsItTellsOnceAndGoesOnLater) {
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "UBSan's vptr check opens a pipe";
#endif
  Address address;
  const int listening = listen_on_loopback(address);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int failures = 0;
  int accepted = 0;
  std::optional<FileLimit> limit;
  auto acceptor = loop_->accept(listening, [&](Result<int> fd, const Address&) {
    if (fd) {
      ++accepted;
      close(*fd);
      loop_->stop();
    } else {
      ++failures;
      EXPECT_EQ(fd.error().code, EMFILE);
    }
  });
  const int last = dup(client);
  close(last);
  limit.emplace(static_cast<rlim_t>(last));  // the numbers below are in use
  ASSERT_EQ(::connect(client, address.raw(), address.size()), 0);
  run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(250)); }(*loop_));
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(accepted, 0);
  EXPECT_LT(loop_->counters().turns, 100u);  // paused, not spinning
  limit.reset();
  loop_->run();
  EXPECT_EQ(accepted, 1);
  close(client);
}

TEST(LoopCreateTest, AutomaticTakesABackendAndSaysWhy) {
  auto loop = Loop::create({});
  ASSERT_TRUE(loop.has_value());
  EXPECT_FALSE((*loop)->choice_reason().empty());
}

TEST(LoopCreateTest, WallClockAndMonotonicClockGoTogether) {
  auto loop = Loop::create({});
  const auto off = std::chrono::system_clock::now() - (*loop)->wall_now();
  EXPECT_LT(std::chrono::abs(off), std::chrono::seconds(1));
}

}  // namespace
}  // namespace doorward::loop
