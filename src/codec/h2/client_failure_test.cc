// Every way in which a request to a backend may fail, and what can be said about it then.
#include <set>

#include "codec/h2/test_client.h"

namespace doorward::codec::h2 {
namespace {

struct Broken {
  const char* name;
  Fields fields;
  const char* body;
  const char* code;
};

TEST_F(H2Client, RefusesBrokenResponses) {
  const Broken cases[] = {
      {"no_status", {{"x", "y"}}, nullptr, "pseudo_header_missing"},
      {"bad_status", {{":status", "2000"}}, nullptr, "bad_status"},
      {"letters", {{":status", "20x"}}, nullptr, "bad_status"},
      {"switching", {{":status", "101"}}, "x", "bad_status"},
      {"request_pseudo", {{":status", "200"}, {":path", "/"}}, nullptr, "unknown_pseudo_header"},
      {"connection",
       {{":status", "200"}, {"connection", "close"}},
       nullptr,
       "connection_specific_header"},
      {"chunked",
       {{":status", "200"}, {"transfer-encoding", "chunked"}},
       nullptr,
       "connection_specific_header"},
      {"value", {{":status", "200"}, {"x", "a\nb"}}, nullptr, "bad_header_value"},
      {"more", {{":status", "200"}, {"content-length", "2"}}, "four", "content_length_mismatch"},
      {"less", {{":status", "200"}, {"content-length", "9"}}, "four", "content_length_mismatch"},
      {"on_204", {{":status", "204"}}, "four", "content_length_mismatch"},
  };
  for (const Broken& c : cases) {
    owner_ = {};
    begin();
    Outcome out;
    run(both(ask(out), answer(*peer_, c.fields, c.body)));
    ASSERT_TRUE(out.error.has_value()) << c.name;
    EXPECT_EQ(out.error->kind, ErrorKind::protocol) << c.name;
    EXPECT_EQ(out.error->side, Side::backend) << c.name;
    EXPECT_EQ(out.error->reason, c.code) << c.name;
    EXPECT_EQ(out.error->retry, Retry::no) << c.name;
  }
}

loop::Task<void> refuse_stream(Peer& peer, std::uint32_t code) {
  co_await peer.until([&] { return !peer.order.empty(); });
  nghttp2_submit_rst_stream(peer.session, 0, 1, code);
  co_await peer.flush();
}

TEST_F(H2Client, ARefusedStreamWasNotProcessed) {
  begin();
  Outcome out;
  run(both(ask(out), refuse_stream(*peer_, NGHTTP2_REFUSED_STREAM)));
  ASSERT_TRUE(out.error.has_value());
  EXPECT_EQ(out.error->kind, ErrorKind::reset);
  EXPECT_EQ(out.error->retry, Retry::yes);
  EXPECT_TRUE(out.unseen);
}

TEST_F(H2Client, AResetStreamMayHaveBeen) {
  begin();
  Outcome out;
  run(both(ask(out), refuse_stream(*peer_, NGHTTP2_INTERNAL_ERROR)));
  ASSERT_TRUE(out.error.has_value());
  EXPECT_EQ(out.error->retry, Retry::no);
  EXPECT_FALSE(out.unseen);
}

loop::Task<void> leave_some(Peer& peer) {
  co_await peer.until([&] { return peer.order.size() == 2; });
  nghttp2_submit_goaway(peer.session, 0, 1, NGHTTP2_NO_ERROR, nullptr, 0);
  peer.respond(1, {{":status", "200"}}, "first");
  co_await peer.flush();
}

TEST_F(H2Client, GoawaySaysWhichWereNotProcessed) {
  begin();
  Outcome first, second;
  run(both(both(ask(first), ask(second)), leave_some(*peer_)));
  EXPECT_EQ(first.body, "first");
  ASSERT_TRUE(second.error.has_value());
  EXPECT_EQ(second.error->retry, Retry::yes);
  EXPECT_TRUE(second.unseen);
  EXPECT_EQ(client_->end_reason(), "");
}

loop::Task<void> vanish(Peer& peer, WireEnd& wire) {
  co_await peer.until([&] { return !peer.order.empty(); });
  wire.abort();
}

TEST_F(H2Client, AConnectionThatBreaks) {
  begin();
  Outcome out;
  run(both(ask(out), vanish(*peer_, *theirs_)));
  ASSERT_TRUE(out.error.has_value());
  EXPECT_EQ(out.error->side, Side::backend);
  EXPECT_FALSE(out.unseen);
}

// The request is in the peer's buffer, unread.
loop::Task<void> vanish_unread(Peer& peer, WireEnd& wire, loop::Loop& loop) {
  co_await peer.until([&] { return !peer.order.empty(); });
  peer.respond(1, {{":status", "200"}}, "x");
  co_await peer.flush();
  co_await loop.sleep(Duration(50));
  wire.abort();
}

loop::Task<void> ask_later(loop::Task<void> asking, loop::Loop& loop) {
  co_await loop.sleep(Duration(25));
  co_await std::move(asking);
}

TEST_F(H2Client, AConnectionThatBreaksBeforeAnythingOfARequestWasTaken) {
  before_ = 5'000;
  begin();
  Outcome first, second;
  run(both(both(ask(first), ask_later(ask(second), *loop_)),
           vanish_unread(*peer_, *theirs_, *loop_)));
  EXPECT_EQ(first.body, "x");
  ASSERT_TRUE(second.error.has_value());
  EXPECT_TRUE(second.unseen);
}

loop::Task<void> deaf(Peer& peer, loop::Loop& loop) {
  co_await peer.until([&] { return !peer.order.empty(); });
  co_await loop.sleep(Duration(300));
}

TEST_F(H2Client, APingThatIsNotAnswered) {
  settings_.ping_every = Duration(50);
  settings_.ping_timeout = Duration(50);
  begin();
  Outcome out;
  run(both(ask(out), deaf(*peer_, *loop_)));
  ASSERT_TRUE(out.error.has_value());
  EXPECT_EQ(out.error->kind, ErrorKind::timeout);
  EXPECT_EQ(client_->end_reason(), "ping_timeout");
}

loop::Task<void> slow_answer(Peer& peer, loop::Loop& loop) {
  co_await peer.until([&] { return !peer.order.empty(); });
  peer.deadline = Deadline::after(loop.now(), Duration(400));
  co_await peer.until_over();
  peer.deadline = Deadline::after(loop.now(), Duration(3'000));
  peer.respond(1, {{":status", "200"}}, "late");
  co_await peer.flush();
}

TEST_F(H2Client, PingsThatAreAnsweredKeepItAlive) {
  settings_.ping_every = Duration(50);
  settings_.ping_timeout = Duration(50);
  begin();
  Outcome out;
  run(both(ask(out), slow_answer(*peer_, *loop_)));
  EXPECT_EQ(out.body, "late");
}

loop::Task<void> cancel_soon(loop::Loop& loop, Outcome& out) {
  while (out.stream == nullptr || !out.sent) co_await loop.sleep(Duration(1));
  out.stream->cancel_read();
}

loop::Task<void> see_cancel(Peer& peer) {
  co_await peer.until([&] { return peer.streams[1].closed; });
}

TEST_F(H2Client, AStreamThatIsLetGoIsReset) {
  begin();
  Outcome out;
  run(both(both(ask(out), cancel_soon(*loop_, out)), see_cancel(*peer_)));
  ASSERT_TRUE(out.error.has_value());
  EXPECT_EQ(out.error->kind, ErrorKind::cancelled);
  EXPECT_EQ(peer_->streams[1].code, NGHTTP2_CANCEL);
}

// What a backend says in a whole conversation, in frames written by hand.
std::vector<std::string> conversation() {
  const std::string early = std::string("\x08\x03", 2) + "103";
  const std::string trailer = std::string(
      "\0\5x-sum\2"
      "42",
      10);
  const std::uint8_t last = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;
  return {Peer::frame(NGHTTP2_SETTINGS, 0, 0, ""),
          Peer::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, early),
          Peer::frame(0x77, 0, 0, "unknown"),
          Peer::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\x88"),
          Peer::frame(NGHTTP2_DATA, 0, 1, "some "),
          Peer::frame(NGHTTP2_DATA, 0, 1, "content"),
          Peer::frame(NGHTTP2_HEADERS, last, 1, trailer)};
}

loop::Task<void> say_and_leave(WireEnd& wire, std::string bytes, bool hard) {
  const iovec part{bytes.data(), bytes.size()};
  co_await wire.send({&part, 1}, Deadline::never());
  if (hard) wire.abort();
  if (!hard) wire.shutdown_send();
}

TEST_F(H2Client, AResponseMayEndAtEveryByte) {
  std::string all;
  std::set<std::size_t> between = {0};  // frames
  for (const std::string& frame : conversation()) between.insert((all += frame).size());
  for (std::size_t size = 0; size <= all.size(); ++size) {
    for (const bool hard : {false, true}) {
      owner_ = {};
      begin();
      ours_->piece = size % 3 == 0 ? 1 : SIZE_MAX;
      Outcome out;
      run(both(ask(out), say_and_leave(*theirs_, all.substr(0, size), hard)));
      const bool whole = size == all.size() && !hard;
      ASSERT_EQ(out.error.has_value(), !whole) << size;
      if (whole) {
        EXPECT_EQ(out.body, "some content");
        EXPECT_EQ(out.trailer, "42");
        EXPECT_EQ(client_->end_reason(), "");
        continue;
      }
      EXPECT_EQ(out.error->side, Side::backend);
      EXPECT_FALSE(client_->end_detail().empty());
      const bool broke_off = !hard && !between.contains(size);
      EXPECT_EQ(client_->end_reason(), broke_off ? "closed_mid_frame" : "reset") << size;
    }
  }
}

loop::Task<void> answer_and_break_off(Peer& peer, loop::Loop& loop, WireEnd& wire, Outcome& out) {
  co_await answer(peer, {{":status", "200"}}, "x");
  while (out.stream != nullptr || out.body.empty()) co_await loop.sleep(Duration(0));
  wire.abort();
}

TEST_F(H2Client, ABrokenConnectionWithoutRequestsEndsInOrder) {
  begin();
  Outcome out;
  run(both(ask(out), answer_and_break_off(*peer_, *loop_, *theirs_, out)));
  EXPECT_EQ(out.body, "x");
  EXPECT_EQ(client_->end_reason(), "");
}

loop::Task<void> abort_soon(loop::Loop& loop, Outcome& out, int turns) {
  for (int i = 0; i < turns; ++i) co_await loop.sleep(Duration(0));
  if (out.stream != nullptr) out.stream->abort();
}

loop::Task<void> answer_half(Peer& peer) {
  co_await peer.until([&] { return peer.streams[1].closed || !peer.order.empty(); });
  peer.respond(1, {{":status", "200"}}, "half", false);
  co_await peer.until([&] { return peer.streams[1].closed; });
}

TEST_F(H2Client, AStreamMayBeAbortedAtAnyTurn) {
  for (int turns = 1; turns < 4; ++turns) {
    owner_ = {};
    begin();
    Outcome out;
    run(both(both(ask(out, std::string(200'000, 'a')), abort_soon(*loop_, out, turns)),
             answer_half(*peer_)));
    EXPECT_TRUE(out.error.has_value());
    EXPECT_EQ(out.error->kind, ErrorKind::cancelled);
    EXPECT_EQ(client_->end_reason(), "");
  }
}

}  // namespace
}  // namespace doorward::codec::h2
