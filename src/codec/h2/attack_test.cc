// Attacks whose cost must be bounded: each ends the connection with the right GOAWAY and a reason,
// or only the stream, and never takes others along before that.
#include "codec/h2/test_fixture.h"

namespace doorward::codec::h2 {
namespace {

class H2Attack : public H2Test {
 protected:
  void expect_calm_down(Abuse abuse) {
    EXPECT_EQ(peer_->goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_EQ(server_->abuse(), abuse) << to_string(server_->abuse());
    EXPECT_EQ(server_->end_reason(), to_string(abuse));
  }
};

loop::Task<void> frames_until_over(Peer& peer, std::string frame, int count) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  for (int i = 0; i < count && !peer.over; ++i) peer.raw(frame);
  co_await peer.until_over();
}

loop::Task<void> reset_again_and_again(Peer& peer, int count) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  for (int i = 0; i < count && !peer.over; ++i) {
    const std::int32_t id = peer.request(kGet);
    co_await peer.flush();
    nghttp2_submit_rst_stream(peer.session, 0, id, NGHTTP2_CANCEL);
    co_await peer.flush();
  }
  co_await peer.until_over();
}

TEST_F(H2Attack, RapidReset) {
  begin();
  run(reset_again_and_again(*peer_, 1000));
  expect_calm_down(Abuse::rapid_reset);
  EXPECT_LT(sink_->opened, 250);
}

// A client that lets most of its requests come to their ends may change its mind about some.
loop::Task<void> cancel_some(Peer& peer, int count) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  for (int i = 0; i < count && !peer.over; ++i) {
    const std::int32_t id = peer.request(kPost, "x", false);
    for (int k = 0; k < 3; ++k) co_await peer.until_closed(peer.request(kGet));
    nghttp2_submit_rst_stream(peer.session, 0, id, NGHTTP2_CANCEL);
  }
}

TEST_F(H2Attack, ResetsNowAndThenAreNoAttack) {
  begin();
  run(cancel_some(*peer_, 600));
  EXPECT_EQ(server_->abuse(), Abuse::none);
  EXPECT_EQ(sink_->opened, 2400);
}

TEST_F(H2Attack, GoawayFlood) {
  begin();
  run(frames_until_over(*peer_, Peer::frame(NGHTTP2_GOAWAY, 0, 0, std::string(8, '\0')), 1000));
  expect_calm_down(Abuse::unknown_flood);
}

// The client makes the server reset: by malformed heads, by windows of nothing.
loop::Task<void> malformed_again_and_again(Peer& peer) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  for (int i = 0; i < 300; ++i) {
    peer.request({{":method", "GET"}, {"X", "y"}});
    if (i % 50 == 0) co_await peer.flush();
    if (i % 50 == 0)
      co_await peer.until([&] { return peer.order.size() > static_cast<std::size_t>(i / 2); });
  }
  co_await peer.until_over();
}

TEST_F(H2Attack, ResetsThatTheServerIsMadeToSend) {
  begin();
  run(malformed_again_and_again(*peer_));
  expect_calm_down(Abuse::rapid_reset);
}

TEST_F(H2Attack, PingFlood) {
  begin();
  run(frames_until_over(*peer_, Peer::frame(NGHTTP2_PING, 0, 0, "12345678"), 2000));
  expect_calm_down(Abuse::ping_flood);
}

TEST_F(H2Attack, SettingsFlood) {
  begin();
  run(frames_until_over(*peer_, Peer::frame(NGHTTP2_SETTINGS, 0, 0, ""), 200));
  expect_calm_down(Abuse::settings_flood);
}

TEST_F(H2Attack, PriorityFlood) {
  begin();
  const std::string priority("\0\0\0\0\x10", 5);
  run(frames_until_over(*peer_, Peer::frame(NGHTTP2_PRIORITY, 0, 1, priority), 2000));
  expect_calm_down(Abuse::priority_flood);
}

TEST_F(H2Attack, WindowUpdateFlood) {
  begin();
  const std::string one("\0\0\0\1", 4);
  run(frames_until_over(*peer_, Peer::frame(NGHTTP2_WINDOW_UPDATE, 0, 0, one), 5000));
  expect_calm_down(Abuse::window_flood);
}

TEST_F(H2Attack, UnknownFrameFlood) {
  begin();
  run(frames_until_over(*peer_, Peer::frame(0x77, 0, 0, "?"), 2000));
  expect_calm_down(Abuse::unknown_flood);
}

loop::Task<void> empty_data(Peer& peer) {
  const std::int32_t id = peer.request(kPost, "x", false);
  co_await peer.until([&] { return peer.settings_acked > 0; });
  for (int i = 0; i < 1000; ++i) {
    peer.raw(Peer::frame(NGHTTP2_DATA, 0, static_cast<std::uint32_t>(id), ""));
  }
  co_await peer.until_over();
}

TEST_F(H2Attack, EmptyFrameFlood) {
  begin();
  run(empty_data(*peer_));
  expect_calm_down(Abuse::empty_flood);
}

loop::Task<void> continuations(Peer& peer, std::string payload, int count) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  peer.raw(Peer::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, "\x82"));
  for (int i = 0; i < count; ++i) peer.raw(Peer::frame(NGHTTP2_CONTINUATION, 0, 1, payload));
  co_await peer.until_over();
}

TEST_F(H2Attack, ContinuationFlood) {
  begin();
  run(continuations(*peer_, "", 10'000));
  expect_calm_down(Abuse::continuation_flood);
}

// One field of 4,000 bytes goes into the table; each byte behind it names it again.
loop::Task<void> bomb(Peer& peer) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  std::string block = "\x82\x86\x84";
  block += std::string("\x40\x01x\x7f\xa1\x1e", 6);  // x: 127 + 3873 = 4000 bytes
  block += std::string(4000, 'v');
  block += std::string(10'000, '\xbe');
  peer.raw(
      Peer::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, block));
  co_await peer.until_over();
}

TEST_F(H2Attack, HpackBomb) {
  begin();
  run(bomb(*peer_));
  expect_calm_down(Abuse::hpack_bomb);
  EXPECT_LT(sink_->opened, 2);
}

// Answers pile up since the client does not read; the engine holds so many of them and no more.
// Content in between keeps the budget of PINGs full.
loop::Task<void> ping_without_reading(Peer& peer, WireEnd& wire) {
  peer.request(kPost, "x", false);
  co_await peer.until([&] { return peer.settings_acked > 0; });
  wire.room = 0;
  for (int i = 0; i < 450; ++i) {
    peer.raw(Peer::frame(NGHTTP2_DATA, 0, 1, "y") + Peer::frame(NGHTTP2_PING, 0, 0, "12345678"));
  }
  co_await peer.flush();
  wire.widen();
  co_await peer.until_over();
}

TEST_F(H2Attack, AnswersThatNobodyFetches) {
  settings_.session.output_bytes = 64;
  begin();
  run(ping_without_reading(*peer_, wire_->theirs));
  expect_calm_down(Abuse::ack_flood);
}

loop::Task<void> never_ends(TestSink& sink, Incoming&, codec::ServerStream&, Seen&) {
  while (sink.counter == 0) co_await sink.loop.sleep(Duration(20));
}

loop::Task<void> too_many(Peer& peer, TestSink& sink) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  for (int i = 0; i < 30; ++i) {
    const std::int32_t id = peer.request(kGet);
    co_await peer.flush();
    nghttp2_submit_rst_stream(peer.session, 0, id, NGHTTP2_CANCEL);
    co_await peer.flush();
  }
  nghttp2_submit_ping(peer.session, 0, nullptr);
  co_await peer.until([&] { return peer.pings_answered > 0; });
  EXPECT_EQ(sink.opened, 20);  // twice the limit, however many were reset meanwhile
  sink.counter = 1;
}

TEST_F(H2Attack, StreamsThatWereResetStillCount) {
  settings_.session.max_concurrent_streams = 10;
  sink_->handler = never_ends;
  begin();
  run(too_many(*peer_, *sink_));
}

loop::Task<void> send_large(TestSink&, Incoming& incoming, codec::ServerStream& stream,
                            Seen& seen) {
  const std::string body(200'000, 'b');
  http::ResponseHead head(incoming.arena);
  head.status = 200;
  Result<void> sent = co_await stream.send_response(head, BodySize::known(body.size()), body, true);
  seen.error = sent ? "sent" : std::string(to_string(sent.error().kind));
  if (!sent) stream.abort();
}

loop::Task<void> small_for_gets(TestSink& sink, Incoming& incoming, codec::ServerStream& stream,
                                Seen& seen) {
  return seen.method == "GET" ? TestSink::echo(sink, incoming, stream, seen)
                              : send_large(sink, incoming, stream, seen);
}

loop::Task<void> zero_window(Peer& peer) {
  peer.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  const std::int32_t stalled = peer.request(kPost);
  co_await peer.until([&] { return !peer.streams[stalled].blocks.empty(); });
  const std::int32_t other = peer.request(kGet);
  co_await peer.until_closed(other);
  EXPECT_EQ(peer.streams[other].status(), "200");
  co_await peer.until_closed(stalled);
  EXPECT_EQ(peer.streams[stalled].body, "");
}

TEST_F(H2Attack, ZeroWindowStall) {
  settings_.send_timeout = Duration(200);
  sink_->handler = small_for_gets;
  begin();
  run(zero_window(*peer_));
  EXPECT_EQ(sink_->done.back().error, "timeout");
  EXPECT_EQ(server_->late(), Late::send);
}

// A byte of window now and then keeps no response alive. (The peer opens it by each byte it got.)
loop::Task<void> drip(Peer& peer, loop::Loop& loop) {
  peer.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  const std::int32_t id = peer.request(kPost);
  co_await peer.until([&] { return !peer.streams[id].blocks.empty(); });
  for (int i = 0; i < 40 && !peer.streams[id].closed; ++i) {
    nghttp2_submit_window_update(peer.session, 0, id, 1);
    nghttp2_submit_ping(peer.session, 0, nullptr);
    const int answered = peer.pings_answered;
    co_await peer.until([&] { return peer.pings_answered > answered; });
    co_await loop.sleep(Duration(20));
  }
  co_await peer.until_closed(id);
  EXPECT_LT(peer.streams[id].body.size(), 400u);
}

TEST_F(H2Attack, TinyWindowDrip) {
  settings_.send_timeout = Duration(400);
  settings_.min_data_rate = 1000;
  sink_->handler = small_for_gets;
  begin();
  run(drip(*peer_, *loop_));
  EXPECT_EQ(sink_->done.back().error, "timeout");
}

loop::Task<void> half_a_head(Peer& peer) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  peer.raw(Peer::frame(NGHTTP2_HEADERS, 0, 1, "\x82"));
  co_await peer.until_over();
}

TEST_F(H2Attack, HalfAHead) {
  settings_.header_timeout = Duration(100);
  begin();
  run(half_a_head(*peer_));
  EXPECT_EQ(server_->late(), Late::header);
  EXPECT_EQ(server_->end_reason(), "header_timeout");
}

loop::Task<void> half_a_body(Peer& peer) {
  const std::int32_t id = peer.request(kPost, "half", false);
  co_await peer.until_closed(id);
}

TEST_F(H2Attack, HalfABody) {
  settings_.body_timeout = Duration(100);
  begin();
  run(half_a_body(*peer_));
  EXPECT_EQ(sink_->done[0].error, "timeout:body_timeout");
  EXPECT_EQ(server_->late(), Late::body);
}

loop::Task<void> nothing_but_noise(WireEnd& wire, std::string bytes) {
  const iovec part{bytes.data(), bytes.size()};
  co_await wire.send({&part, 1}, Deadline::never());
}

TEST_F(H2Attack, NoPreface) {
  begin();
  run(nothing_but_noise(wire_->theirs, "GET / HTTP/1.1\r\nhost: a\r\n\r\n and more"));
  EXPECT_EQ(server_->end_reason(), "bad_preface");
}

// Its length alone would be more than can come for streams that are over.
TEST_F(H2Attack, ContentThatIsTooLarge) {
  begin();
  run(frames_until_over(*peer_, std::string("\xff\xff\xff\0\0\0\0\0\1", 9), 1));
  EXPECT_EQ(peer_->goaway_code, NGHTTP2_FRAME_SIZE_ERROR);
  EXPECT_EQ(server_->end_reason(), "protocol_error");
}

TEST_F(H2Attack, BrokenFrames) {
  begin();
  run(frames_until_over(*peer_, Peer::frame(NGHTTP2_PING, 0, 0, "short"), 1));
  EXPECT_EQ(peer_->goaway_code, NGHTTP2_FRAME_SIZE_ERROR);
  EXPECT_EQ(server_->end_reason(), "protocol_error");
}

// However much is sent in however small pieces to a reader that does not read, what is held is
// bounded by the window, not by the buffers that the pieces came in.
TEST_F(H2Attack, SmallPiecesAreCopiedTogether) {
  std::size_t held = 0;
  Inflow inflow(*loop_, held);
  std::string all;
  for (int i = 0; i < 5000; ++i) {
    const Chunk buffer = Chunk::copy_of(std::string(3, static_cast<char>('a' + i % 26)));
    all += buffer.view();
    inflow.add(buffer, buffer.view());
  }
  inflow.end();
  std::string read;
  int pieces = 0;
  for (bool last = false; !last; ++pieces) {
    Result<Piece> piece = inflow.take();
    ASSERT_TRUE(piece.has_value());
    read += piece->chunk.view();
    last = piece->last;
  }
  EXPECT_TRUE(read == all);
  EXPECT_LE(pieces, 3);
  EXPECT_EQ(held, 0u);
}

// A buffer is whole while a piece of it is shared: a connection shares few that nobody waits for.
TEST_F(H2Attack, ManyStreamsHoldFewBuffers) {
  std::size_t held = 0;
  std::list<Inflow> streams;
  const Chunk buffer = Chunk::copy_of(std::string(8'000, 'b'));
  std::size_t shared = 0;
  for (int i = 0; i < 100; ++i) {
    Inflow& stream = streams.emplace_back(*loop_, held);
    stream.add(buffer, buffer.view());
    stream.add(buffer, buffer.view().substr(0, 10));
    for (bool more = true; i > 90 && more;) {
      Result<Piece> piece = stream.take();
      ASSERT_TRUE(piece.has_value());
      shared += piece->chunk.memory() == buffer.memory() ? 1 : 0;
      more = piece->more_ready;
    }
  }
  EXPECT_EQ(shared, 0u);
  EXPECT_GT(held, 90u);
  streams.clear();
  EXPECT_EQ(held, 0u);
}

}  // namespace
}  // namespace doorward::codec::h2
