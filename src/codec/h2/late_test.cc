// Frames for streams that are over, at a server: what can have been on its way is let alone, more
// of it ends the connection.
#include "codec/h2/test_fixture.h"

namespace doorward::codec::h2 {
namespace {

class H2Late : public H2Test {
 protected:
  void expect_closed_flood() {
    EXPECT_EQ(peer_->goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_EQ(server_->end_reason(), "closed_flood");
  }
};

loop::Task<void> at_once(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  return TestSink::reply(incoming, stream, 401, "no");
}

// Uploads whose heads come alone, are answered, and go on as long as their windows allow. (Frames
// by hand: nghttp2 would heed the RST_STREAM.)
loop::Task<void> upload_too_late(Peer& peer, Wire& wire, TestSink& sink, std::size_t streams,
                                 std::size_t each, std::size_t piece) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < streams; ++i) ids.push_back(peer.request(kPost, "", false));
  const std::size_t before = sink.done.size();
  co_await peer.flush();
  while (sink.done.size() < before + streams) co_await sink.loop.sleep(Duration(0));
  std::string all;
  for (std::size_t sent = 0; sent < each; sent += piece) {
    const std::string content(std::min(piece, each - sent), 'u');
    for (const std::int32_t id : ids) {
      all += Peer::frame(NGHTTP2_DATA, 0, static_cast<std::uint32_t>(id), content);
    }
  }
  wire.ours.piece = 16'384;
  peer.raw(std::move(all));
  co_await peer.until_closed(peer.request(kGet));
}

TEST_F(H2Late, UploadsThatAreAnsweredEarlyAreNoAttack) {
  sink_->handler = at_once;
  begin();
  run(upload_too_late(*peer_, *wire_, *sink_, 4, 256 * 1024, 16'384));
  EXPECT_EQ(server_->end_reason(), "");
  EXPECT_EQ(sink_->done.size(), 5u);
}

// Of such a small window the client may not have heard, so that it takes HTTP/2's own.
TEST_F(H2Late, AnUploadOfAWholeConnectionsWindowIsNoAttack) {
  settings_.session.stream_window = 16 * 1024;
  settings_.session.connection_window = 64 * 1024;
  sink_->handler = at_once;
  begin();
  run(upload_too_late(*peer_, *wire_, *sink_, 1, 65'535, 1'024));
  EXPECT_EQ(server_->end_reason(), "");
  EXPECT_EQ(sink_->done.size(), 2u);
}

TEST_F(H2Late, UploadsWithoutEndThatWereAnswered) {
  sink_->handler = at_once;
  begin();
  run(upload_too_late(*peer_, *wire_, *sink_, 4, 1024 * 1024, 16'384));
  expect_closed_flood();
}

loop::Task<void> give_up_posts(TestSink&, Incoming& incoming, codec::ServerStream& stream,
                               Seen& seen) {
  if (seen.method != "GET") co_return stream.abort();
  co_await TestSink::reply(incoming, stream, 200, std::string(200'000, 'b'));
}

// The client does not read, so that the RST_STREAM of the second stream stays with the engine.
loop::Task<void> heads_without_reading(Peer& peer, WireEnd& wire, TestSink& sink) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  wire.room = 0;
  peer.request(kGet);
  const std::int32_t given_up = peer.request(kPost, "", false);
  co_await peer.flush();
  while (sink.done.empty()) co_await sink.loop.sleep(Duration(0));
  const std::string block(16'000, '\x82');
  for (int i = 0; i < 200; ++i) {
    peer.raw(Peer::frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS,
                         static_cast<std::uint32_t>(given_up), block));
  }
  co_await peer.flush();
  wire.widen();
  co_await peer.until_over();
}

TEST_F(H2Late, HeadsOfAStreamThatIsGivenUp) {
  settings_.session.output_bytes = 64;
  sink_->handler = give_up_posts;
  begin();
  run(heads_without_reading(*peer_, wire_->theirs, *sink_));
  expect_closed_flood();
}

}  // namespace
}  // namespace doorward::codec::h2
