#include "loop/socket.h"

#include <cstdio>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace doorward::loop
