// Streams over real sockets, on both loops: much data both ways, slow readers, sudden ends.
#include <sys/socket.h>

#include "tls/tls_fixture.h"

namespace doorward::tls {
namespace {

using loop::Gate;
using loop::Task;

class StreamSocketTest : public TlsTest {
 protected:
  Ends over_sockets() {
    loop::Address address;
    const int listening = listen_on_loopback(address);
    const int theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(theirs, address.raw(), address.size()), 0);
    const int ours = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    Ends ends;
    ends.server = Stream::server(*core_, loop_->adopt(ours), server_context());
    ends.client = *Stream::client(*core_, loop_->adopt(theirs), client_context(), target_);
    run(shake_both(ends, soon()));
    EXPECT_TRUE(ends.ok()) << ends.why();
    return ends;
  }
};
DOORWARD_TLS_BOTH_BACKENDS(StreamSocketTest);

char byte_at(std::size_t at) { return static_cast<char>(at * 131 % 251); }

Task<void> send_much(Stream& to, std::size_t size, Deadline by) {
  std::string bytes(251 * 800, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(i);
  for (std::size_t sent = 0; sent < size; sent += bytes.size()) {
    const iovec part = loop::part_of(bytes);
    auto result = co_await to.send({&part, 1}, by);
    EXPECT_TRUE(result.has_value()) << result.error().cause;
    if (!result) co_return;
  }
  to.shutdown_send();
}

Task<void> receive_much(loop::Loop& loop, Stream& from, std::size_t& count, int pause_after,
                        Deadline by) {
  for (int chunks = 1;; ++chunks) {
    auto chunk = co_await from.recv(by);
    EXPECT_TRUE(chunk.has_value()) << chunk.error().cause;
    if (!chunk || chunk->empty()) co_return;
    for (std::size_t i = 0; i < chunk->size(); i += 97) {
      EXPECT_EQ(chunk->data()[i], byte_at((count + i) % 251));
    }
    count += chunk->size();
    if (pause_after > 0 && chunks % pause_after == 0) co_await loop.sleep(Duration(1));
  }
}

Task<void> both_ways(loop::Loop& loop, Ends& ends, std::size_t size, int pause_after,
                     std::size_t& there, std::size_t& back, Deadline by) {
  Gate gate;
  gate.spawn(send_much(*ends.client, size, by));
  gate.spawn(send_much(*ends.server, size, by));
  gate.spawn(receive_much(loop, *ends.server, there, pause_after, by));
  gate.spawn(receive_much(loop, *ends.client, back, 0, by));
  co_await gate.close();
}

TEST_P(StreamSocketTest, PassesMuchBothWays) {
  for (const int pause_after : {0, 50}) {
    Ends ends = over_sockets();
    std::size_t there = 0;
    std::size_t back = 0;
    run(both_ways(*loop_, ends, 10'000'000, pause_after, there, back,
                  Deadline::after(loop_->now(), Duration(30'000))));
    EXPECT_GE(there, 10'000'000u);
    EXPECT_EQ(there, back);
    EXPECT_EQ(ends.server->received(), there);
    EXPECT_GT(ends.server->sent(), there);
  }
}

Task<void> question_and_answer(Ends& ends, int count, Deadline by) {
  for (int i = 0; i < count; ++i) {
    std::string there;
    std::string back;
    co_await pass_text(*ends.client, *ends.server, "question", there, by);
    co_await pass_text(*ends.server, *ends.client, "answer", back, by);
    EXPECT_EQ(there + back, "questionanswer");
  }
}

TEST_P(StreamSocketTest, TakesANewKeyAfterManyRecords) {
  core_->set_records_per_key(3);
  Ends ends = over_sockets();
  std::size_t there = 0;
  std::size_t back = 0;
  run(both_ways(*loop_, ends, 2'000'000, 0, there, back, soon()));
  EXPECT_GE(there, 2'000'000u);
  EXPECT_EQ(there, back);
}

TEST_P(StreamSocketTest, KeepsAConnectionForManyQuestions) {
  Ends ends = over_sockets();
  run(question_and_answer(ends, 200, soon()));
  EXPECT_GE(ends.server->sent(), ends.server->acknowledged());
  EXPECT_GT(ends.server->acknowledged(), 200u * 6);
}

TEST_P(StreamSocketTest, APeerThatGoesWhileWeSendIsAnError) {
  Ends ends = over_sockets();
  run([](Ends& both, Deadline by) -> Task<void> {
    Result<void> sent;
    Gate gate;
    gate.spawn(send_text(*both.server, std::string(30'000'000, 'x'), sent, by));
    both.client->abort();
    both.client.reset();
    co_await gate.close();
    EXPECT_FALSE(sent.has_value());
    std::string got;
    std::optional<Error> error;
    co_await receive_text(*both.server, 1, got, error, by);
    EXPECT_TRUE(error.has_value());
  }(ends, soon()));
}

TEST_P(StreamSocketTest, APeerThatStopsReadingStalls) {
  Ends ends = over_sockets();
  ends.server->limit_stall({.timeout = Duration(100), .min_rate = 1000});
  Result<void> sent;
  run(send_text(*ends.server, std::string(30'000'000, 'x'), sent, soon()));
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().kind, ErrorKind::timeout);
}

Task<void> hold_chunks(Ends& ends, std::vector<Chunk>& held, std::size_t count, Deadline by) {
  Result<void> sent;
  Gate gate;
  gate.spawn(send_text(*ends.client, std::string(count * kRecordMax, 'x'), sent, by));
  while (held.size() < count) {
    auto chunk = co_await ends.server->recv(by);
    EXPECT_TRUE(chunk.has_value());
    if (!chunk) break;
    held.push_back(std::move(*chunk));
  }
  co_await gate.close();
}

TEST_P(StreamSocketTest, TakesFromTheHeapWhenThePoolIsEmpty) {
  core_ = std::make_unique<PerCore>(*loop_, 2);
  Ends ends = over_sockets();
  std::vector<Chunk> held;
  run(hold_chunks(ends, held, 10, soon()));
  for (const Chunk& chunk : held) EXPECT_EQ(chunk.view(), std::string(chunk.size(), 'x'));
}

TEST_P(StreamSocketTest, GoesWhileTheReaderWaits) {
  for (int i = 0; i < 20; ++i) {
    Ends ends = over_sockets();
    run([](Ends& both, loop::Loop& loop) -> Task<void> {
      Gate gate;
      std::string got;
      std::optional<Error> error;
      gate.spawn(receive_text(*both.server, 1, got, error, Deadline::never()));
      both.server->cancel_recv();
      co_await gate.close();
      EXPECT_EQ(error->kind, ErrorKind::cancelled);
      both.server.reset();
      co_await loop.sleep(Duration(1));
    }(ends, *loop_));
  }
}

}  // namespace
}  // namespace doorward::tls
