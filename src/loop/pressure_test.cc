// Back-pressure and exhaustion: fast peers with slow readers, thousands of connections, too few
// buffers. Peers run on the same loop.
#include <algorithm>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "loop/loop_fixture.h"

namespace doorward::loop {
namespace {

class PressureTest : public LoopTest {};
DOORWARD_BOTH_BACKENDS(PressureTest);

char byte_at(std::size_t position) { return static_cast<char>(position * 131 % 251); }

std::string pattern(std::size_t from, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(from + i);
  return bytes;
}

// A pair of connected Sockets, both on `loop`.
struct Pair {
  std::unique_ptr<Socket> one;
  std::unique_ptr<Socket> other;
};

Pair make_pair(Loop& loop, const Address& address, int listening) {
  const int theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(theirs, address.raw(), address.size()), 0);
  const int ours = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(ours, 0);
  return {loop.adopt(ours), loop.adopt(theirs)};
}

Task<void> send_pattern(Socket& to, std::size_t size, Deadline deadline) {
  constexpr std::size_t kStep = 251 * 1000;
  const std::string bytes = pattern(0, kStep);  // its period divides the step
  for (std::size_t sent = 0; sent < size;) {
    const std::size_t now = std::min(kStep, size - sent);
    const iovec part = part_of(std::string_view(bytes).substr(0, now));
    auto result = co_await to.send({&part, 1}, deadline);
    EXPECT_TRUE(result.has_value()) << result.error().cause;
    if (!result) co_return;
    sent += now;
  }
  to.shutdown_send();
}

// Receives everything, sleeping after every `pause_after` chunks.
Task<void> receive_pattern(Loop& loop, Socket& from, int pause_after, std::size_t& count,
                           std::size_t& most_ahead, Deadline deadline) {
  const std::string expected = pattern(0, 251 + (1 << 20));
  for (int chunks = 1;; ++chunks) {
    auto chunk = co_await from.recv(deadline);
    EXPECT_TRUE(chunk.has_value()) << chunk.error().cause;
    if (!chunk || chunk->empty()) co_return;
    EXPECT_EQ(chunk->view(), std::string_view(expected).substr(count % 251, chunk->size()));
    count += chunk->size();
    *chunk = Chunk();
    most_ahead = std::max<std::size_t>(most_ahead, from.received() - count);
    if (pause_after > 0 && chunks % pause_after == 0) co_await loop.sleep(Duration(1));
  }
}

Task<void> transfer(Loop& loop, Pair pair, std::size_t size, int pause_after,
                    std::size_t& most_ahead, Deadline deadline) {
  std::size_t count = 0;
  Gate gate;
  gate.spawn(send_pattern(*pair.one, size, deadline));
  gate.spawn(receive_pattern(loop, *pair.other, pause_after, count, most_ahead, deadline));
  co_await gate.close();
  EXPECT_EQ(count, size);
}

TEST_P(PressureTest, ALargeBodyArrivesWhole) {
  Address address;
  const int listening = listen_on_loopback(address);
  std::size_t most_ahead = 0;
  run(transfer(*loop_, make_pair(*loop_, address, listening), 50 << 20, 0, most_ahead,
               Deadline::after(loop_->now(), Duration(30'000))));
}

TEST_P(PressureTest, ASlowReaderHoldsFewBuffers) {
  Address address;
  const int listening = listen_on_loopback(address);
  std::size_t most_ahead = 0;
  run(transfer(*loop_, make_pair(*loop_, address, listening), 20 << 20, 4, most_ahead,
               Deadline::after(loop_->now(), Duration(30'000))));
  EXPECT_LE(most_ahead, 1u << 20);  // what one burst of the kernel's may bring before the pause
}

TEST_P(PressureTest, WithFewBuffersEverythingStillArrives) {
  make_loop({.buffer_size = 1024,
             .buffer_count_max = 3,
             .bulk_buffer_size = 4096,
             .bulk_buffer_count_max = 1});
  Address address;
  const int listening = listen_on_loopback(address);
  constexpr int kPairs = 40;
  std::vector<std::size_t> ahead(kPairs);
  Gate gate;
  int left = kPairs;
  const auto count_down = [](Task<void> task, Loop& loop, int& count) -> Task<void> {
    co_await std::move(task);
    if (--count == 0) loop.stop();
  };
  for (int i = 0; i < kPairs; ++i) {
    gate.spawn(count_down(transfer(*loop_, make_pair(*loop_, address, listening), 100'000,
                                   i % 3 * 8, ahead[static_cast<std::size_t>(i)],
                                   Deadline::after(loop_->now(), Duration(30'000))),
                          *loop_, left));
  }
  loop_->run();
  EXPECT_EQ(gate.count(), 0u);
  if (GetParam() == Backend::uring) EXPECT_GT(loop_->counters().buffers_exhausted, 0u);
}

// Sends without end until its peer is gone.
Task<void> flood(std::unique_ptr<Socket> socket) {
  const std::string bytes(1 << 20, 'x');
  const iovec part = part_of(bytes);
  while (co_await socket->send({&part, 1}, Deadline::never())) {
  }
}

Task<void> relay(Socket& from, Socket& to) {
  for (;;) {
    auto chunk = co_await from.recv(Deadline::never());
    if (!chunk || chunk->empty()) co_return;
    const iovec part = part_of(chunk->view());
    if (!co_await to.send({&part, 1}, Deadline::never())) co_return;
  }
}

Task<void> echo(std::unique_ptr<Socket> socket) { co_await relay(*socket, *socket); }

Task<void> ping(Loop& loop, std::unique_ptr<Socket> socket, int rounds, std::vector<Duration>& took,
                Deadline deadline) {
  const std::string message(200, 'p');
  for (int i = 0; i < rounds; ++i) {
    const TimePoint before = loop.now();
    EXPECT_TRUE((co_await send_all(*socket, message, deadline)).has_value());
    EXPECT_EQ(co_await receive(*socket, message.size(), deadline), message);
    took.push_back(std::chrono::ceil<Duration>(loop.now() - before));
  }
}

Task<void> starve(Loop& loop, Address address, int listening, Deadline deadline) {
  // A fast backend behind a relay whose client never reads ...
  Pair backend = make_pair(loop, address, listening);
  Pair client = make_pair(loop, address, listening);
  Gate floods;
  Gate relays;
  floods.spawn(flood(std::move(backend.other)));
  relays.spawn(relay(*backend.one, *client.one));
  co_await loop.sleep(Duration(50));
  // ... beside 1,000 quick connections.
  Gate echoes;
  Gate pings;
  std::vector<Duration> took;
  for (int i = 0; i < 1000; ++i) {
    Pair quick = make_pair(loop, address, listening);
    echoes.spawn(echo(std::move(quick.one)));
    pings.spawn(ping(loop, std::move(quick.other), 5, took, deadline));
  }
  co_await pings.close();
  EXPECT_EQ(took.size(), 5000u);
  backend.one->abort();
  client.one->abort();
  co_await relays.close();
  backend.one.reset();
  co_await floods.close();
  co_await echoes.close();
}

TEST_P(PressureTest, AGreedyPairStarvesNoOthers) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  // Fewer buffers than the greedy pair would take, if it were let.
  make_loop({.buffer_count_max = 64, .bulk_buffer_count_max = 4});
  Address address;
  const int listening = listen_on_loopback(address);
  run(starve(*loop_, address, listening, Deadline::after(loop_->now(), Duration(30'000))));
}

TEST_P(PressureTest, AnIdleSocketIsSmall) { EXPECT_LE(sizeof(Socket), 240u); }

}  // namespace
}  // namespace doorward::loop
