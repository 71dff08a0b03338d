#include "loop/socket.h"

#include <cstdio>
#include <gtest/gtest.h>
#include <optional>

#include "loop/loop_fixture.h"

namespace doorward::loop {
namespace {

class SocketTest : public LoopTest {};
DOORWARD_BOTH_BACKENDS(SocketTest);

Task<void> echo(std::unique_ptr<Socket> socket) {
  for (;;) {
    auto chunk = co_await socket->recv(Deadline::never());
    if (!chunk || chunk->empty()) co_return;
    const iovec part = part_of(chunk->view());
    if (!co_await socket->send({&part, 1}, Deadline::never())) co_return;
  }
}

Task<void> talk(Loop& loop, Address to, Deadline deadline) {
  auto socket = co_await loop.connect(to, deadline);
  EXPECT_TRUE(socket.has_value());
  if (!socket) co_return;
  EXPECT_EQ((*socket)->peer(), to);
  for (const std::string word : {"one", "two", "three"}) {
    EXPECT_TRUE((co_await send_all(**socket, word, deadline)).has_value());
    EXPECT_EQ(co_await receive(**socket, word.size(), deadline), word);
  }
  (*socket)->shutdown_send();
  auto end = co_await (*socket)->recv(deadline);
  EXPECT_TRUE(end.has_value() && end->empty());
}

Task<void> talk_with_echo(Loop& loop, int listening, Address address, Deadline deadline) {
  Gate gate;
  auto acceptor = loop.accept(listening, [&](Result<int> fd, const Address& peer) {
    EXPECT_TRUE(fd.has_value());
    EXPECT_EQ(peer.family(), address.family());
    gate.spawn(echo(loop.adopt(*fd)));
  });
  co_await talk(loop, address, deadline);
  acceptor->stop();
  co_await gate.close();
}

TEST_P(SocketTest, EchoesOverIpv4) {
  Address address;
  const int listening = listen_on_loopback(address);
  run(talk_with_echo(*loop_, listening, address, soon()));
}

TEST_P(SocketTest, EchoesOverIpv6) {
  Address address = *Address::parse("[::1]:0");
  const int listening = listen_on(address);
  run(talk_with_echo(*loop_, listening, address, soon()));
}

TEST_P(SocketTest, EchoesOverUnixSockets) {
  const std::string path = testing::TempDir() + "doorward-echo-" + std::to_string(getpid());
  Address address = *Address::parse("unix:" + path);
  const int listening = listen_on(address);
  run(talk_with_echo(*loop_, listening, address, soon()));
  std::remove(path.c_str());
}

Task<void> send_parts(Socket& socket, std::vector<iovec>& parts, Result<void>& result,
                      Deadline deadline) {
  result = co_await socket.send(parts, deadline);
}

std::string read_all(int fd) {
  std::string bytes;
  char buffer[65536];
  for (ssize_t got = 0; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  return bytes;
}

TEST_P(SocketTest, SendsMorePartsThanOneCallTakes) {
  auto [socket, theirs] = connected();
  std::string bytes;
  for (int i = 0; i < 3000; ++i) bytes += static_cast<char>('a' + i % 26);
  std::vector<iovec> parts;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    parts.push_back(part_of(std::string_view(bytes).substr(i, 1)));
    parts.push_back(iovec{nullptr, 0});
  }
  Result<void> result;
  run(send_parts(*socket, parts, result, soon()));
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(socket->sent(), bytes.size());
  socket->shutdown_send();
  EXPECT_EQ(read_all(theirs), bytes);
  close(theirs);
}

TEST_P(SocketTest, AnEmptySendIsDoneAtOnce) {
  auto [socket, theirs] = connected();
  std::vector<iovec> parts = {iovec{nullptr, 0}};
  Result<void> result;
  run(send_parts(*socket, parts, result, soon()));
  EXPECT_TRUE(result.has_value());
  close(theirs);
}

TEST_P(SocketTest, TellsTheEndAgainAndAgain) {
  auto [socket, theirs] = connected();
  ASSERT_EQ(::send(theirs, "last", 4, 0), 4);
  shutdown(theirs, SHUT_WR);
  std::string got;
  run([](Socket& from, std::string& to, Deadline deadline) -> Task<void> {
    to = co_await receive(from, 100, deadline);
    auto end = co_await from.recv(deadline);
    EXPECT_TRUE(end.has_value() && end->empty());
    EXPECT_TRUE(from.recv_ready());
    // Half-closed: the other direction still works.
    EXPECT_TRUE((co_await send_all(from, "reply", deadline)).has_value());
  }(*socket, got, soon()));
  EXPECT_EQ(got, "last");
  EXPECT_EQ(socket->received(), 4u);
  socket.reset();
  run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(1)); }(*loop_));
  EXPECT_EQ(read_all(theirs), "reply");
  close(theirs);
}

void reset(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

Task<void> keep_error(Socket& socket, std::optional<Error>& error, Deadline deadline) {
  auto chunk = co_await socket.recv(deadline);
  if (!chunk) error = chunk.error();
}

TEST_P(SocketTest, AResetWhileWaitingIsAnError) {
  auto [socket, theirs] = connected();
  std::optional<Error> error;
  loop_->post([theirs] { reset(theirs); });
  run(keep_error(*socket, error, soon()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::reset);
}

class Watcher final : public PeerWatch {
 public:
  explicit Watcher(Loop& loop) : loop_(loop) {}
  void on_peer_end(ErrorKind how) override {
    told.push_back(how);
    loop_.stop();
  }
  std::vector<ErrorKind> told;

 private:
  Loop& loop_;
};

TEST_P(SocketTest, TellsItsWatchOfAFinAndOfAReset) {
  for (const bool orderly : {true, false}) {
    auto [socket, theirs] = connected();
    Watcher watcher(*loop_);
    socket->watch_peer(&watcher);
    loop_->post([theirs, orderly] { orderly ? void(close(theirs)) : reset(theirs); });
    loop_->run();
    ASSERT_EQ(watcher.told.size(), 1u);
    EXPECT_EQ(watcher.told[0], orderly ? ErrorKind::closed : ErrorKind::reset);
    Watcher late(*loop_);
    socket->watch_peer(&late);
    EXPECT_EQ(late.told, watcher.told);
    run(Task<void>());
  }
}

TEST_P(SocketTest, AWatchThatWasTakenAwayIsNotTold) {
  auto [socket, theirs] = connected();
  Watcher watcher(*loop_);
  socket->watch_peer(&watcher);
  socket->watch_peer(nullptr);
  close(theirs);
  run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(1)); }(*loop_));
  EXPECT_TRUE(watcher.told.empty());
}

TEST_P(SocketTest, RecvEndsAtItsDeadlineAndGoesOnAfterwards) {
  auto [socket, theirs] = connected();
  std::optional<Error> error;
  run(keep_error(*socket, error, in(20)));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::timeout);
  ASSERT_EQ(::send(theirs, "late", 4, 0), 4);
  std::string got;
  run([](Socket& from, std::string& to, Deadline deadline) -> Task<void> {
    to = co_await receive(from, 4, deadline);
  }(*socket, got, soon()));
  EXPECT_EQ(got, "late");
  close(theirs);
}

TEST_P(SocketTest, CancellingRecvWakesItsWaiter) {
  auto [socket, theirs] = connected();
  std::optional<Error> error;
  loop_->post([&ours = *socket] { ours.cancel_recv(); });
  run(keep_error(*socket, error, soon()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::cancelled);
  error.reset();
  run(keep_error(*socket, error, in(5)));  // a cancel is not kept for the next one
  EXPECT_EQ(error->kind, ErrorKind::timeout);
  close(theirs);
}

Task<void> keep_send_error(Socket& socket, std::size_t size, std::optional<Error>& error,
                           Deadline deadline) {
  auto sent = co_await send_all(socket, std::string(size, 'x'), deadline);
  if (!sent) error = sent.error();
}

constexpr std::size_t kMoreThanTheKernelTakes = 64 << 20;

TEST_P(SocketTest, SendEndsAtItsDeadlineAndTheStreamIsDoneThen) {
  auto [socket, theirs] = connected();
  std::optional<Error> error;
  run(keep_send_error(*socket, kMoreThanTheKernelTakes, error, in(50)));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::timeout);
  error.reset();
  run(keep_send_error(*socket, 1, error, soon()));
  EXPECT_TRUE(error.has_value());
  close(theirs);
}

TEST_P(SocketTest, CancellingSendWakesItsWaiter) {
  auto [socket, theirs] = connected();
  std::optional<Error> error;
  loop_->post([&ours = *socket] { ours.cancel_send(); });
  run(keep_send_error(*socket, kMoreThanTheKernelTakes, error, soon()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::cancelled);
  close(theirs);
}

TEST_P(SocketTest, AbortWakesBothWaiters) {
  auto [socket, theirs] = connected();
  std::optional<Error> recv_error;
  std::optional<Error> send_error;
  loop_->post([&ours = *socket] { ours.abort(); });
  run([](Socket& both, std::optional<Error>& in, std::optional<Error>& out,
         Deadline deadline) -> Task<void> {
    Gate gate;
    gate.spawn(keep_error(both, in, deadline));
    gate.spawn(keep_send_error(both, kMoreThanTheKernelTakes, out, deadline));
    co_await gate.close();
  }(*socket, recv_error, send_error, soon()));
  ASSERT_TRUE(recv_error && send_error);
  EXPECT_EQ(recv_error->kind, ErrorKind::cancelled);
  EXPECT_EQ(send_error->kind, ErrorKind::cancelled);
  close(theirs);
}

TEST_P(SocketTest, SendingToAPeerThatIsGoneFails) {
  auto [socket, theirs] = connected();
  std::optional<Error> error;
  loop_->post([theirs] { reset(theirs); });
  run(keep_send_error(*socket, kMoreThanTheKernelTakes, error, soon()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::reset);
}

TEST_P(SocketTest, TriesToSendAFewBytesAtOnce) {
  auto [socket, theirs] = connected();
  socket->try_send("few");
  char bytes[3];
  EXPECT_EQ(::recv(theirs, bytes, 3, MSG_WAITALL), 3);
  EXPECT_EQ(socket->sent(), 3u);
  close(theirs);
}

TEST_P(SocketTest, MayBeDestroyedInAnyState) {
  for (int round = 0; round < 20; ++round) {
    auto [socket, theirs] = connected();
    if (round % 2 == 0) ::send(theirs, "unread", 6, 0);
    if (round % 3 == 0) shutdown(theirs, SHUT_WR);
    if (round % 4 == 0) {
      run([](Loop& loop) -> Task<void> { co_await loop.sleep(Duration(1)); }(*loop_));
    }
    socket.reset();
    close(theirs);
  }
}

}  // namespace
}  // namespace doorward::loop
