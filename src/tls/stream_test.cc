// Streams over memory: data both ways however it is cut, back-pressure, ends, cancels, timeouts.
#include "tls/stream.h"

#include <malloc.h>

#include "tls/reasons.h"
#include "tls/tls_fixture.h"

namespace doorward::tls {
namespace {

using loop::Gate;
using loop::Task;

class StreamTest : public TlsTest {};
DOORWARD_TLS_BOTH_BACKENDS(StreamTest);

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 131 % 251 % 26);
  return text;
}

TEST_P(StreamTest, ShakesHandsAndTalksBothWays) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  EXPECT_EQ(ends.server->facts().version, "TLSv1.3");
  EXPECT_EQ(ends.server->facts().sni, "a.example");
  EXPECT_EQ(ends.client->facts().cipher, ends.server->facts().cipher);
  EXPECT_EQ(ends.client->facts().peer_certificate->subject, "CN=a.example");
  std::string there;
  std::string back;
  run(pass_text(*ends.client, *ends.server, "question", there, soon()));
  run(pass_text(*ends.server, *ends.client, "answer", back, soon()));
  EXPECT_EQ(there, "question");
  EXPECT_EQ(back, "answer");
  EXPECT_EQ(ends.server->received(), 8u);
  EXPECT_GT(ends.server->sent(), 6u);
  EXPECT_EQ(ends.server->sent(), ends.server->acknowledged());
}

TEST_P(StreamTest, ReceivesWhateverWayBytesAreCut) {
  for (std::size_t cut = 1; cut < 2200; cut += 1) {
    Ends ends = this->ends();
    ends.server_wire->cut_at = cut;
    ends.client_wire->cut_at = cut;
    ends.server_wire->shy = cut % 2 == 0;
    ends.client_wire->shy = cut % 3 == 0;
    run(shake_both(ends, soon()));
    ASSERT_TRUE(ends.ok()) << cut << ends.why();
    std::string there;
    std::string back;
    run(pass_text(*ends.client, *ends.server, "question", there, soon()));
    run(pass_text(*ends.server, *ends.client, "answer", back, soon()));
    ASSERT_EQ(there + back, "questionanswer") << cut;
    if (cut > ends.server_wire->received() && cut > ends.client_wire->received()) break;
  }
}

TEST_P(StreamTest, ReceivesByteByByte) {
  Ends ends = this->ends();
  ends.server_wire->chunk_max = ends.client_wire->chunk_max = 1;
  run(shake_both(ends, soon()));
  ASSERT_TRUE(ends.ok()) << ends.why();
  std::string got;
  run(pass_text(*ends.client, *ends.server, pattern(3000), got, soon()));
  EXPECT_EQ(got, pattern(3000));
}

TEST_P(StreamTest, SendsMuchThroughANarrowPipe) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  ends.server_wire->capacity = 10'000;
  std::string got;
  const std::string text = pattern(3'000'000);
  const std::uint64_t before = ends.client->sent();
  run(pass_text(*ends.client, *ends.server, text, got, soon()));
  EXPECT_TRUE(got == text);
  EXPECT_EQ(ends.server->received(), text.size());
  const std::size_t records = text.size() / kRecordMax + 1;  // all but the last are full
  EXPECT_EQ(ends.client->sent() - before, text.size() + records * 22);
}

Task<void> send_in_parts(Stream& stream, std::string& text, Result<void>& result, Deadline by) {
  std::vector<iovec> parts;
  for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size * 3 % 40'009) {
    parts.push_back(loop::part_of(std::string_view(text).substr(at, size)));
    parts.push_back(iovec{nullptr, 0});
  }
  result = co_await stream.send(parts, by);
}

Task<void> pass_parts(Ends& ends, std::string& text, std::string& got, Deadline by) {
  Gate gate;
  Result<void> sent;
  std::optional<Error> error;
  gate.spawn(send_in_parts(*ends.server, text, sent, by));
  gate.spawn(receive_text(*ends.client, text.size(), got, error, by));
  co_await gate.close();
  EXPECT_TRUE(sent.has_value());
}

TEST_P(StreamTest, SendsManyPartsInOrder) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  std::string text = pattern(500'000);
  std::string got;
  run(pass_parts(ends, text, got, soon()));
  EXPECT_TRUE(got == text);
}

Task<void> flood_both_ways(Ends& ends, const std::string& text, std::string& there,
                           std::string& back, Deadline by) {
  Gate gate;
  gate.spawn(pass_text(*ends.client, *ends.server, text, there, by));
  gate.spawn(pass_text(*ends.server, *ends.client, text, back, by));
  co_await gate.close();
}

TEST_P(StreamTest, SendsBothWaysAtOnce) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  ends.server_wire->capacity = ends.client_wire->capacity = 5'000;
  ends.client_wire->shy = true;
  const std::string text = pattern(1'000'000);
  std::string there;
  std::string back;
  run(flood_both_ways(ends, text, there, back, soon()));
  EXPECT_TRUE(there == text && back == text);
}

TEST_P(StreamTest, EndsInOrderAndHalfWay) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  ends.client->shutdown_send();
  std::string got;
  std::optional<Error> error;
  run(receive_text(*ends.server, 1, got, error, soon()));
  EXPECT_FALSE(error.has_value());
  EXPECT_TRUE(ends.server->recv_ready());
  run(pass_text(*ends.server, *ends.client, "still", got, soon()));
  EXPECT_EQ(got, "still");
}

Task<void> send_then_end(Ends& ends, std::string text, Deadline by) {
  Result<void> sent;
  Gate gate;
  gate.spawn(send_text(*ends.client, std::move(text), sent, by));
  ends.client->shutdown_send();  // while the send is under way
  std::string got;
  std::optional<Error> error;
  co_await receive_text(*ends.server, 1u << 30, got, error, by);
  EXPECT_EQ(got.size(), 900'000u);
  EXPECT_FALSE(error.has_value()) << error->cause;
  co_await gate.close();
}

TEST_P(StreamTest, EndsAfterTheSendUnderWay) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  ends.server_wire->capacity = 20'000;
  run(send_then_end(ends, pattern(900'000), soon()));
}

TEST_P(StreamTest, LastWordsGoOutAfterTheOwnerIsGone) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  ends.server_wire->capacity = 1;
  ends.client->shutdown_send();
  ends.client.reset();
  std::string got;
  std::optional<Error> error;
  run(receive_text(*ends.server, 1, got, error, soon()));
  EXPECT_FALSE(error.has_value()) << error->cause;
}

TEST_P(StreamTest, TruncationIsAnErrorAndNoEnd) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  ends.client.reset();
  std::string got;
  std::optional<Error> error;
  run(receive_text(*ends.server, 1, got, error, soon()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->reason, reason::kTruncated);
  EXPECT_EQ(error->kind, ErrorKind::reset);
  EXPECT_EQ(error->side, Side::client);
}

TEST_P(StreamTest, ADamagedRecordIsAnErrorAndIsAnsweredWithAnAlert) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  FailureNotes of_client;
  FailureNotes of_backend;
  ends.server->watch_failure(of_client);
  ends.client->watch_failure(of_backend);
  ends.server_wire->put(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  std::string got;
  std::optional<Error> error;
  run(receive_text(*ends.server, 1, got, error, soon()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->reason, reason::kBadRecord);
  run(receive_text(*ends.client, 1, got, error, soon()));
  EXPECT_EQ(error->reason, reason::kPeerAlert);
  EXPECT_EQ(error->side, Side::backend);
  EXPECT_EQ(error->retry, Retry::no);  // it says nothing of a certificate
  EXPECT_EQ(of_client.reasons, std::vector<std::string>{"tls_bad_record"});
  EXPECT_EQ(of_backend.reasons, std::vector<std::string>{"tls_peer_alert"});
}

Task<void> cancel_both(loop::Loop& loop, Stream& stream) {
  co_await loop.sleep(Duration(1));
  stream.cancel_recv();
  stream.cancel_send();
}

Task<void> wait_and_cancel(loop::Loop& loop, Stream& stream, std::optional<Error>& received,
                           Result<void>& sent, std::string text, Deadline by) {
  Gate gate;
  std::string got;
  gate.spawn(receive_text(stream, 1, got, received, by));
  gate.spawn(send_text(stream, std::move(text), sent, by));
  gate.spawn(cancel_both(loop, stream));
  co_await gate.close();
}

TEST_P(StreamTest, CancelsWaits) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{500'000}}) {
    Ends ends = shaken();
    ASSERT_TRUE(ends.ok()) << ends.why();
    ends.server_wire->stuck = true;
    std::optional<Error> received;
    Result<void> sent;
    run(wait_and_cancel(*loop_, *ends.server, received, sent, pattern(size), soon()));
    ASSERT_TRUE(received.has_value());
    EXPECT_EQ(received->kind, ErrorKind::cancelled);
    ASSERT_FALSE(sent.has_value());
    EXPECT_EQ(sent.error().kind, ErrorKind::cancelled);
    std::string got;  // receiving is as good as before
    std::string text = "later";
    run(pass_text(*ends.client, *ends.server, text, got, soon()));
    EXPECT_EQ(got, text);
  }
}

TEST_P(StreamTest, TimesOut) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{500'000}}) {
    Ends ends = shaken();
    ASSERT_TRUE(ends.ok()) << ends.why();
    ends.server_wire->stuck = true;
    Result<void> sent;
    run(send_text(*ends.server, pattern(size), sent, in(20)));
    ASSERT_FALSE(sent.has_value());
    EXPECT_EQ(sent.error().kind, ErrorKind::timeout);
    std::string got;
    std::optional<Error> error;
    run(receive_text(*ends.server, 1, got, error, in(20)));
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind, ErrorKind::timeout);
    run(pass_text(*ends.client, *ends.server, "late", got, soon()));
    EXPECT_EQ(got, "late");
  }
}

Task<void> abort_soon(loop::Loop& loop, Stream& stream) {
  co_await loop.sleep(Duration(1));
  stream.abort();
}

Task<void> wait_and_abort(loop::Loop& loop, Stream& stream, std::optional<Error>& received,
                          Result<void>& sent, std::string text, Deadline by) {
  Gate gate;
  std::string got;
  gate.spawn(receive_text(stream, 1, got, received, by));
  gate.spawn(send_text(stream, std::move(text), sent, by));
  gate.spawn(abort_soon(loop, stream));
  co_await gate.close();
}

TEST_P(StreamTest, AbortWakesEveryone) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{500'000}}) {
    Ends ends = shaken();
    ends.server_wire->stuck = true;
    std::optional<Error> received;
    Result<void> sent;
    run(wait_and_abort(*loop_, *ends.server, received, sent, pattern(size), soon()));
    ASSERT_TRUE(received.has_value() && !sent.has_value());
    EXPECT_EQ(received->kind, ErrorKind::cancelled);
    EXPECT_EQ(sent.error().kind, ErrorKind::cancelled);
    EXPECT_TRUE(ends.server->broken());
  }
}

Task<void> sleep_a_little(loop::Loop& loop) { co_await loop.sleep(Duration(1)); }

TEST_P(StreamTest, ATrySendIsReceived) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  ends.server->try_send("continue");
  std::string got;
  std::optional<Error> error;
  run(receive_text(*ends.client, 8, got, error, soon()));
  EXPECT_EQ(got, "continue");
}

TEST_P(StreamTest, AHandshakeTimesOut) {
  Ends ends = this->ends();
  ends.client_wire->stuck = true;
  run(shake_both(ends, in(30)));
  EXPECT_EQ(ends.server_reason(), reason::kTimeout);
  EXPECT_EQ(ends.client_reason(), reason::kTimeout);
  EXPECT_EQ(ends.server_result.error().kind, ErrorKind::timeout);
}

TEST_P(StreamTest, AnIdleConnectionIsSmall) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "counts the heap";
#endif
#endif
  constexpr int kCount = 200;
  std::vector<Ends> many;
  many.push_back(shaken());
  auto context = server_context();
  auto client = client_context();
  std::vector<std::unique_ptr<Stream>> servers;
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < kCount; ++i) {
    Ends ends;
    auto [ours, theirs] = MemoryStream::pair(*loop_);
    ends.server_wire = ours.get();
    ends.server = Stream::server(*core_, std::move(ours), context);
    ends.client = *Stream::client(*core_, std::move(theirs), client, target_);
    run(shake_both(ends, soon()));
    ASSERT_TRUE(ends.ok()) << ends.why();
    std::string got;
    run(pass_text(*ends.client, *ends.server, "question", got, soon()));
    run(pass_text(*ends.server, *ends.client, "answer", got, soon()));
    ends.server_wire->inbox.shrink_to_fit();
    servers.push_back(std::move(ends.server));
    ends.client.reset();
  }
  run(sleep_a_little(*loop_));
  const std::size_t each = (mallinfo2().uordblks - before) / kCount;
  RecordProperty("bytes", static_cast<int>(each));
  printf("an idle server connection: %zu bytes\n", each);
  EXPECT_LT(each, 20'000u);
}

}  // namespace
}  // namespace doorward::tls
