// Accepting from listening descriptors that other cores and processes may share.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "loop/descriptor.h"
#include "loop/loop_fixture.h"

namespace doorward::loop {
namespace {

class AcceptorTest : public LoopTest {
 protected:
  // The next client; its connection waits in the listener's queue.
  void knock(const Address& address) {
    const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    descriptors_.push_back(fd);
    ASSERT_EQ(::connect(fd, address.raw(), address.size()), 0);
  }
  void run_for(int ms) {
    run([](Loop& loop, int time) -> Task<void> { co_await loop.sleep(Duration(time)); }(*loop_,
                                                                                        ms));
  }
};
DOORWARD_BOTH_BACKENDS(AcceptorTest);

bool is_blocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

// The mode belongs to the description, which the process before and after an upgrade share: one
// with the other backend would wait inside accept4.
TEST_P(AcceptorTest, LeavesTheListeningDescriptorNonBlocking) {
  Address address;
  const int listening = listen_on_loopback(address);
  const auto acceptor = loop_->accept(listening, [](Result<int>, const Address&) {});
  run_for(1);
  EXPECT_FALSE(is_blocking(listening));
}

TEST_P(AcceptorTest, WaitsForConnectionsWithoutSpinning) {
  Address address;
  const int listening = listen_on_loopback(address);
  int accepted = 0;
  const auto acceptor = loop_->accept(listening, [&](Result<int> fd, const Address&) {
    ASSERT_TRUE(fd.has_value());
    ++accepted;
    close(*fd);
  });
  for (int round = 1; round <= 3; ++round) {
    run_for(20);
    knock(address);
    knock(address);
    run_for(20);
    EXPECT_EQ(accepted, 2 * round);
  }
  EXPECT_LT(loop_->counters().turns, 200u);
}

TEST_P(AcceptorTest, DrainTellsWhoeverWaits) {
  Address address;
  const int listening = listen_on_loopback(address);
  int accepted = 0;
  const auto acceptor = loop_->accept(listening, [&](Result<int> fd, const Address& peer) {
    ASSERT_TRUE(fd.has_value());
    EXPECT_EQ(peer.host(), "127.0.0.1");
    ++accepted;
    close(*fd);
  });
  for (int i = 0; i < 300; ++i) knock(address);
  run(acceptor->drain());
  EXPECT_EQ(accepted, 300);
  EXPECT_LT(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC), 0);
}

TEST_P(AcceptorTest, NobodyNewConnectsToASocketThatHearsNoNewcomers) {
  for (const char* host : {"127.0.0.1:0", "[::1]:0"}) {
    Address address = *Address::parse(host);
    const int listening = listen_on(address);
    int accepted = 0;
    const auto acceptor = loop_->accept(listening, [&](Result<int> fd, const Address&) {
      close(*fd);
      ++accepted;
    });
    knock(address);
    hear_no_newcomers(listening);
    const int late = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    descriptors_.push_back(late);
    EXPECT_LT(::connect(late, address.raw(), address.size()), 0);
    EXPECT_EQ(errno, EINPROGRESS);
    run_for(50);
    run(acceptor->drain());
    EXPECT_EQ(accepted, 1) << host;
    pollfd waiting{late, POLLOUT, 0};
    EXPECT_EQ(poll(&waiting, 1, 0), 0) << "neither connected nor refused";
  }
}

// As its owner may do inside the callback.
TEST_P(AcceptorTest, StopEndsADrain) {
  Address address;
  const int listening = listen_on_loopback(address);
  int accepted = 0;
  std::unique_ptr<Acceptor> acceptor;
  acceptor = loop_->accept(listening, [&](Result<int> fd, const Address&) {
    close(*fd);
    if (++accepted == 3) acceptor->stop();
  });
  for (int i = 0; i < 5; ++i) knock(address);
  run(acceptor->drain());
  EXPECT_EQ(accepted, 3);
}

}  // namespace
}  // namespace doorward::loop
