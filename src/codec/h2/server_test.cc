// Requests, bodies and responses of a server connection, with nghttp2 as the client.
#include "codec/h2/test_fixture.h"

namespace doorward::codec::h2 {
namespace {

class H2Server : public H2Test {};

TEST_F(H2Server, AnswersAGet) {
  PeerStream& stream = exchange(with(kGet, {{"x-one", "1"}}));
  EXPECT_EQ(stream.status(), "200");
  EXPECT_EQ(stream.field(0, "x-test"), "yes");
  EXPECT_EQ(stream.field(0, "content-length"), "0");
  EXPECT_EQ(stream.code, NGHTTP2_NO_ERROR);
  ASSERT_EQ(sink_->done.size(), 1u);
  const Seen& seen = sink_->done[0];
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/a?b");
  EXPECT_EQ(seen.header("host"), "example.com");
  EXPECT_EQ(seen.header("x-one"), "1");
  EXPECT_EQ(seen.size.kind, BodySize::Kind::none);
}

TEST_F(H2Server, EchoesABody) {
  PeerStream& stream = exchange(with(kPost, {{"content-length", "5"}}), "hello");
  EXPECT_EQ(stream.body, "hello");
  EXPECT_TRUE(stream.ended);
  EXPECT_EQ(sink_->done[0].size.kind, BodySize::Kind::known);
}

TEST_F(H2Server, TakesEverySplit) {
  wire_->ours.piece = 1;
  PeerStream& stream = exchange(kPost, "hello");
  EXPECT_EQ(stream.body, "hello");
}

TEST_F(H2Server, JoinsCookieCrumbs) {
  exchange(with(kGet, {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}}));
  EXPECT_EQ(sink_->done[0].header("cookie"), "a=1; b=2; c=3");
}

loop::Task<void> many(Peer& peer, int count) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < count; ++i) ids.push_back(peer.request(kPost, "some body"));
  for (const std::int32_t id : ids) co_await peer.until_closed(id);
}

TEST_F(H2Server, RunsManyAtOnce) {
  begin();
  run(many(*peer_, 90));
  EXPECT_EQ(sink_->done.size(), 90u);
  for (auto& [id, stream] : peer_->streams) {
    EXPECT_EQ(stream.body, "some body");
    EXPECT_EQ(stream.status(), "200");
  }
}

TEST_F(H2Server, SendsInOneWhatOneTurnProduced) {
  begin();
  run(many(*peer_, 90));
  EXPECT_LE(wire_->ours.sends, 5u);  // SETTINGS, acknowledgement, answers, windows, GOAWAY
}

// The client takes nothing of any response: what is kept for it stays within the output's limit.
loop::Task<void> count_packed(Peer& peer, WireEnd& theirs, ServerConnection& server) {
  peer.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10'000'000}});
  nghttp2_submit_window_update(peer.session, 0, 0, 100'000'000);
  co_await peer.until([&] { return peer.settings_acked > 1; });
  theirs.room = 0;
  for (int i = 0; i < 20; ++i) peer.request(kGet);
  co_await peer.flush();
  while (server.streams() < 20) co_await server.loop().sleep(Duration(1));
  co_await server.loop().sleep(Duration(1));
  EXPECT_GT(server.packed(), 250'000u);
  EXPECT_LT(server.packed(), 600'000u);  // one output on its way, one full
  theirs.widen();
  for (std::int32_t id = 1; id < 40; id += 2) co_await peer.until_closed(id);
}

loop::Task<void> million(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  co_await TestSink::reply(incoming, stream, 200, std::string(1'000'000, 'm'));
}

TEST_F(H2Server, KeepsNoMoreThanItsOutputHolds) {
  sink_->handler = million;
  begin();
  run(count_packed(*peer_, wire_->theirs, *server_));
  EXPECT_EQ(sink_->done.size(), 20u);
}

TEST_F(H2Server, StreamsALargeBodyBothWays) {
  const std::string body(3'000'000, 'x');
  wire_->theirs.room = 100'000;
  PeerStream& stream = exchange(kPost, body.c_str());
  EXPECT_EQ(stream.body.size(), body.size());
  EXPECT_TRUE(stream.body == body);
}

// What comes first in the request is received though nobody reads, as far as the window goes.
loop::Task<void> read_late(TestSink& sink, Incoming& incoming, codec::ServerStream& stream,
                           Seen& seen) {
  co_await sink.loop.sleep(Duration(50));
  co_await TestSink::echo(sink, incoming, stream, seen);
}

loop::Task<void> slow_and_quick(Peer& peer, const std::string& large) {
  const std::int32_t slow = peer.request(kPost, large.c_str());
  const std::int32_t quick = peer.request(kGet);
  co_await peer.until_closed(quick);
  EXPECT_FALSE(peer.streams[slow].closed);
  EXPECT_GT(peer.streams[slow].to_send.size(), large.size() - 300'000);
  co_await peer.until_closed(slow);
  EXPECT_EQ(peer.streams[slow].body.size(), large.size());
}

loop::Task<void> posts_late(TestSink& sink, Incoming& incoming, codec::ServerStream& stream,
                            Seen& seen) {
  return seen.method == "POST" ? read_late(sink, incoming, stream, seen)
                               : TestSink::echo(sink, incoming, stream, seen);
}

TEST_F(H2Server, OneSlowStreamStopsNoOther) {
  const std::string large(900'000, 'y');
  sink_->handler = posts_late;
  begin();
  run(slow_and_quick(*peer_, large));
}

loop::Task<void> send_pieces(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  http::ResponseHead early(incoming.arena);
  early.status = 103;
  early.headers.add("link", "</a>");
  co_await stream.send_informational(early);
  http::ResponseHead head(incoming.arena);
  head.status = 200;
  co_await stream.send_response(head, BodySize::unknown(), "first ", false);
  const std::string large(20'000, 'z');
  co_await stream.send_body(large, false, nullptr);
  http::HeaderList trailers(incoming.arena);
  trailers.add("Grpc-Status", "0");
  co_await stream.send_body("last", true, &trailers);
}

TEST_F(H2Server, SendsInterimPiecesAndTrailers) {
  sink_->handler = send_pieces;
  PeerStream& stream = exchange(kGet);
  ASSERT_EQ(stream.blocks.size(), 3u);
  EXPECT_EQ(stream.field(0, ":status"), "103");
  EXPECT_EQ(stream.field(1, ":status"), "200");
  EXPECT_EQ(stream.field(1, "content-length"), "");
  EXPECT_EQ(stream.field(2, "grpc-status"), "0");
  EXPECT_EQ(stream.body, "first " + std::string(20'000, 'z') + "last");
  EXPECT_EQ(stream.code, NGHTTP2_NO_ERROR);
}

loop::Task<void> with_trailers(Peer& peer) {
  const std::int32_t id = peer.request(kPost, "body", false);
  peer.trailers(id, {{"x-sum", "42"}, {"set-cookie", "dropped"}});
  co_await peer.until_closed(id);
}

TEST_F(H2Server, ReceivesTrailers) {
  begin();
  run(with_trailers(*peer_));
  ASSERT_EQ(sink_->done.size(), 1u);
  ASSERT_EQ(sink_->done[0].trailers.size(), 1u);
  EXPECT_EQ(sink_->done[0].trailers[0].second, "42");
}

loop::Task<void> no_content(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  http::ResponseHead head(incoming.arena);
  head.status = incoming.head.target == "/204" ? 204 : 304;
  if (incoming.head.method == http::Method::head) head.status = 200;
  head.headers.add("content-length", "7");
  co_await stream.send_response(head, BodySize::known(7), "content", false);
  co_await stream.send_body("more", true, nullptr);
}

TEST_F(H2Server, SendsNoContentWhereNoneMayBe) {
  sink_->handler = no_content;
  Fields head = kGet;
  head[0].second = "HEAD";
  PeerStream& stream = exchange(head);
  EXPECT_EQ(stream.status(), "200");
  EXPECT_EQ(stream.field(0, "content-length"), "7");
  EXPECT_EQ(stream.body, "");
  EXPECT_TRUE(stream.ended);
}

TEST_F(H2Server, Sends204WithoutLength) {
  sink_->handler = no_content;
  Fields get = kGet;
  get[2].second = "/204";
  PeerStream& stream = exchange(get);
  EXPECT_EQ(stream.status(), "204");
  EXPECT_EQ(stream.field(0, "content-length"), "");
  EXPECT_EQ(stream.body, "");
}

loop::Task<void> expectation(Peer& peer) {
  const std::int32_t id = peer.request(with(kPost, {{"expect", "100-continue"}}), "", false);
  co_await peer.until([&] { return !peer.streams[id].blocks.empty(); });
  EXPECT_EQ(peer.streams[id].field(0, ":status"), "100");
  peer.write(id, "now", true);
  co_await peer.until_closed(id);
  EXPECT_EQ(peer.streams[id].body, "now");
}

TEST_F(H2Server, MeetsAnExpectation) {
  begin();
  run(expectation(*peer_));
  EXPECT_TRUE(sink_->done[0].awaits_continue);
}

loop::Task<void> answer_early(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  co_await TestSink::reply(incoming, stream, 413, "too large");
}

loop::Task<void> unread(Peer& peer) {
  const std::int32_t id = peer.request(kPost, "part", false);
  co_await peer.until_closed(id);
  EXPECT_EQ(peer.streams[id].status(), "413");
  EXPECT_EQ(peer.streams[id].body, "too large");
  EXPECT_EQ(peer.streams[id].code, NGHTTP2_NO_ERROR);
  const std::int32_t next = peer.request(kGet);
  co_await peer.until_closed(next);
  EXPECT_EQ(peer.streams[next].status(), "413");
}

TEST_F(H2Server, DeclinesTheRestOfABodyWithoutBlame) {
  sink_->handler = answer_early;
  begin();
  run(unread(*peer_));
}

loop::Task<void> reset_midway(Peer& peer, TestSink& sink) {
  const std::int32_t id = peer.request(kPost, "part", false);
  co_await peer.until([&] { return peer.settings_acked > 0; });
  nghttp2_submit_rst_stream(peer.session, 0, id, NGHTTP2_CANCEL);
  const std::int32_t next = peer.request(kGet);
  co_await peer.until_closed(next);
  EXPECT_EQ(peer.streams[next].status(), "200");
  EXPECT_EQ(sink.done.size(), 2u);
}

TEST_F(H2Server, TellsAReaderOfAReset) {
  begin();
  run(reset_midway(*peer_, *sink_));
  const bool first = sink_->done[0].method == "POST";
  EXPECT_EQ(sink_->done[first ? 0 : 1].error, "reset:");
  EXPECT_EQ(server_->end_reason(), "");  // the test hangs up
}

struct Watch final : loop::PeerWatch {
  explicit Watch(loop::Loop& loop) : wait(loop) {}
  void on_peer_end(ErrorKind kind) override {
    how = kind;
    wait.wake();
  }
  Wait wait;
  ErrorKind how = ErrorKind::system;
};

loop::Task<void> watch_until_gone(TestSink& sink, Incoming&, codec::ServerStream& stream,
                                  Seen& seen) {
  Watch watch(sink.loop);
  stream.watch_client(&watch);
  co_await watch.wait.until(Deadline::after(sink.loop.now(), Duration(5000)));
  seen.error = watch.how == ErrorKind::reset && stream.client_broken() ? "gone" : "?";
  stream.watch_client(nullptr);
}

loop::Task<void> leave(Peer& peer) {
  const std::int32_t id = peer.request(kGet);
  co_await peer.until([&] { return peer.settings_acked > 0; });
  nghttp2_submit_rst_stream(peer.session, 0, id, NGHTTP2_CANCEL);
  nghttp2_submit_ping(peer.session, 0, nullptr);
  co_await peer.until([&] { return peer.pings_answered > 0; });
}

TEST_F(H2Server, TellsAWatchOfAReset) {
  sink_->handler = watch_until_gone;
  begin();
  run(leave(*peer_));
  EXPECT_EQ(sink_->done[0].error, "gone");
}

loop::Task<void> hang_up(Peer& peer) {
  peer.request(kGet);
  co_await peer.until([&] { return peer.settings_acked > 0; });
}

TEST_F(H2Server, TellsAWatchOfTheConnectionsEnd) {
  sink_->handler = watch_until_gone;
  begin();
  run(hang_up(*peer_));
  EXPECT_EQ(sink_->done[0].error, "gone");
  EXPECT_EQ(server_->end_reason(), "reset");
}

loop::Task<void> ask_and_break_off(Peer& peer, WireEnd& wire) {
  co_await peer.until_closed(peer.request(kGet));
  co_await peer.until([&] { return peer.settings_acked > 0; });
  wire.abort();
}

TEST_F(H2Server, ABrokenConnectionWithoutRequestsEndsInOrder) {
  begin();
  run(ask_and_break_off(*peer_, wire_->theirs));
  EXPECT_EQ(server_->end_reason(), "");
}

loop::Task<void> reset_twice(Peer& peer) {
  const std::int32_t id = peer.request(kPost, "", false);
  co_await peer.until([&] { return peer.settings_acked > 0; });
  const std::string frame = Peer::frame(NGHTTP2_RST_STREAM, 0, static_cast<std::uint32_t>(id),
                                        std::string("\0\0\0\x8", 4));
  for (int i = 0; i < 10; ++i) peer.raw(frame);
  const std::int32_t next = peer.request(kGet);
  co_await peer.until_closed(next);
  EXPECT_EQ(peer.streams[next].status(), "200");
}

TEST_F(H2Server, AStreamIsResetOnce) {
  begin();
  run(reset_twice(*peer_));
  EXPECT_EQ(sink_->resets, 1);
}

loop::Task<void> cut_short(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  http::ResponseHead head(incoming.arena);
  head.status = 200;
  co_await stream.send_response(head, BodySize::unknown(), "half", false);
  stream.abort();
}

TEST_F(H2Server, ShowsAResponseThatWasCutShort) {
  sink_->handler = cut_short;
  PeerStream& stream = exchange(kGet);
  EXPECT_FALSE(stream.ended);
  EXPECT_EQ(stream.code, NGHTTP2_INTERNAL_ERROR);
}

loop::Task<void> drained(Peer& peer, ServerConnection& server) {
  const std::int32_t id = peer.request(kPost, "before", false);
  co_await peer.until([&] { return peer.settings_acked > 0; });
  server.drain();
  co_await peer.until([&] { return peer.goaways > 1; });
  EXPECT_EQ(peer.goaway_code, NGHTTP2_NO_ERROR);
  EXPECT_EQ(peer.goaway_last, id);
  peer.write(id, " and after", true);
  co_await peer.until_over();
  EXPECT_EQ(peer.streams[id].body, "before and after");
}

TEST_F(H2Server, DrainsWithGrace) {
  begin();
  run(drained(*peer_, *server_));
  EXPECT_EQ(server_->end_reason(), "");
}

loop::Task<void> be_sent_away(Peer& peer) {
  const std::int32_t id = peer.request(kGet);
  co_await peer.until_over();
  EXPECT_EQ(peer.streams[id].status(), "200");
  EXPECT_EQ(peer.settings_acked, 1);
  EXPECT_GE(peer.goaways, 1);  // nghttp2 hears no more when it has no stream left
}

TEST_F(H2Server, MayBeDrainedBeforeItBegins) {
  begin();
  server_->drain();
  run(be_sent_away(*peer_));
  EXPECT_EQ(server_->end_reason(), "");
}

loop::Task<void> one_and_wait(Peer& peer) {
  const std::int32_t id = peer.request(kGet);
  co_await peer.until_over();
  EXPECT_EQ(peer.streams[id].status(), "200");
  EXPECT_EQ(peer.goaway_code, NGHTTP2_NO_ERROR);
}

TEST_F(H2Server, EndsWhenIdle) {
  settings_.idle_timeout = Duration(60);
  begin();
  run(one_and_wait(*peer_));
  EXPECT_EQ(server_->late(), Late::idle);
}

}  // namespace
}  // namespace doorward::codec::h2
