// What happens between streams and at awkward moments: priorities, WebSockets, ends at every byte
// of a conversation, and connections that began elsewhere.
#include "codec/h2/test_fixture.h"

namespace doorward::codec::h2 {
namespace {

class H2Stream : public H2Test {};

const Fields kWebSocket = {{":method", "CONNECT"}, {":protocol", "websocket"},
                           {":scheme", "http"},    {":path", "/chat"},
                           {":authority", "a"},    {"sec-websocket-version", "13"}};

// Answers as an HTTP/1.1 backend would, then sends back what it gets.
loop::Task<void> echo_tunnel(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  http::ResponseHead head(incoming.arena);
  head.status = 101;
  head.headers.add("Connection", "upgrade");
  head.headers.add("Upgrade", "websocket");
  head.headers.add("Sec-WebSocket-Accept", "whatever");
  const Result<void> sent = co_await stream.send_response(head, BodySize::empty(), {}, true);
  if (!sent) co_return;
  Chunk early;
  loop::ByteStream* bytes = stream.take_transport(early);
  for (;;) {
    Result<Chunk> chunk = co_await bytes->recv(Deadline::never());
    if (!chunk || chunk->empty()) break;
    const iovec part{const_cast<char*>(chunk->data()), chunk->size()};
    if (!co_await bytes->send({&part, 1}, Deadline::never())) break;
  }
  bytes->shutdown_send();
}

loop::Task<void> chat(Peer& peer) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  EXPECT_EQ(
      nghttp2_session_get_remote_settings(peer.session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL),
      1u);
  const std::int32_t id = peer.request(kWebSocket, "early", false);
  co_await peer.until([&] { return peer.streams[id].body == "early"; });
  EXPECT_EQ(peer.streams[id].status(), "200");
  EXPECT_EQ(peer.streams[id].field(0, "upgrade"), "");
  EXPECT_EQ(peer.streams[id].field(0, "sec-websocket-accept"), "");
  peer.write(id, std::string(100'000, 'w'), false);
  co_await peer.until([&] { return peer.streams[id].body.size() == 100'005; });
  peer.write(id, "", true);
  co_await peer.until_closed(id);
  EXPECT_TRUE(peer.streams[id].ended);
  EXPECT_EQ(peer.streams[id].code, NGHTTP2_NO_ERROR);
}

TEST_F(H2Stream, CarriesAWebSocket) {
  sink_->handler = echo_tunnel;
  begin();
  run(chat(*peer_));
  const Seen& seen = sink_->done[0];
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/chat");
  EXPECT_EQ(seen.header("upgrade"), "websocket");
  EXPECT_EQ(seen.header("connection"), "upgrade");
  EXPECT_EQ(seen.header("sec-websocket-key").size(), 24u);
  EXPECT_EQ(seen.header("sec-websocket-version"), "13");
  EXPECT_EQ(seen.size.kind, BodySize::Kind::none);
}

loop::Task<void> break_chat(Peer& peer) {
  const std::int32_t id = peer.request(kWebSocket, "early", false);
  co_await peer.until([&] { return peer.streams[id].body == "early"; });
  nghttp2_submit_rst_stream(peer.session, 0, id, NGHTTP2_CANCEL);
  nghttp2_submit_ping(peer.session, 0, nullptr);
  co_await peer.until([&] { return peer.pings_answered > 0; });
}

TEST_F(H2Stream, EndsAWebSocketThatBreaks) {
  sink_->handler = echo_tunnel;
  begin();
  run(break_chat(*peer_));
  EXPECT_EQ(sink_->done.size(), 1u);
}

loop::Task<void> refuse_chat(Peer& peer) {
  const std::int32_t id = peer.request(kWebSocket, "", false);
  co_await peer.until_closed(id);
  EXPECT_EQ(peer.streams[id].status(), "403");
}

loop::Task<void> forbid(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  co_await TestSink::reply(incoming, stream, 403, "no");
}

TEST_F(H2Stream, RefusesAWebSocketLikeAnything) {
  sink_->handler = forbid;
  begin();
  run(refuse_chat(*peer_));
}

loop::Task<void> large(TestSink&, Incoming& incoming, codec::ServerStream& stream, Seen&) {
  co_await TestSink::reply(incoming, stream, 200, std::string(50'000, 'p'));
}

// Both are blocked by the connection's window; the one of higher urgency leaves first.
loop::Task<void> urgent_last(Peer& peer, Fields wish, std::string update) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  const std::int32_t first = peer.request(kGet);  // takes most of the window of 65,535 bytes
  co_await peer.until([&] { return peer.streams[first].ended; });
  const std::int32_t later = peer.request(with(kGet, {{"priority", "u=2"}}));
  const std::int32_t urgent = peer.request(with(kGet, wish));
  if (!update.empty()) {
    const auto* field = reinterpret_cast<const std::uint8_t*>(update.data());
    EXPECT_EQ(nghttp2_submit_priority_update(peer.session, 0, urgent, field, update.size()), 0);
  }
  co_await peer.until([&] { return peer.streams[urgent].blocks.size() == 1; });
  nghttp2_submit_window_update(peer.session, 0, 0, 50'000);
  co_await peer.until([&] { return peer.streams[urgent].ended; });
  EXPECT_LT(peer.streams[later].body.size(), 50'000u);
  nghttp2_submit_window_update(peer.session, 0, 0, 100'000);
  co_await peer.until([&] { return peer.streams[later].ended; });
}

TEST_F(H2Stream, HonoursUrgency) {
  sink_->handler = large;
  begin(false);
  run(urgent_last(*peer_, {{"priority", "u=0"}}, ""));
}

TEST_F(H2Stream, HonoursAPriorityUpdate) {
  sink_->handler = large;
  begin(false);
  run(urgent_last(*peer_, {}, "u=1"));
}

// The preface and what followed it were received by somebody else.
loop::Task<void> late_start(Peer& peer, WireEnd& ours, ServerConnection& server) {
  const std::int32_t id = peer.request(kPost, "prior knowledge");
  co_await peer.flush();
  Result<Chunk> received = co_await ours.recv(Deadline::never());
  EXPECT_TRUE(received.has_value());
  loop::Gate serving;
  serving.spawn(server.serve(std::move(*received)));
  co_await peer.until_closed(id);
  EXPECT_EQ(peer.streams[id].body, "prior knowledge");
  server.drain();
  co_await peer.until_over();
  co_await serving.close();
}

loop::Task<void> and_stop(loop::Loop& loop, loop::Task<void> script) {
  co_await std::move(script);
  loop.stop();
}

TEST_F(H2Stream, BeginsWithBytesThatWereReceived) {
  begin();
  peer_->deadline = Deadline::after(loop_->now(), Duration(2'000));
  loop::Gate gate;
  gate.spawn(and_stop(*loop_, late_start(*peer_, wire_->ours, *server_)));
  loop_->run();
}

// Records what a client says in a whole conversation.
loop::Task<void> record(Peer& peer, WireEnd& ours, std::string& bytes) {
  peer.request(with(kPost, {{"content-length", "4"}, {"cookie", "a"}, {"cookie", "b"}}), "body");
  peer.request(kGet);
  const std::int32_t third = peer.request(kPost, "more", false);
  peer.trailers(third, {{"x-sum", "1"}});
  co_await peer.flush();
  co_await peer.flush();
  while (ours.waiting() > 0) {
    Result<Chunk> chunk = co_await ours.recv(Deadline::never());
    bytes += chunk->view();
  }
}

loop::Task<void> say(WireEnd& wire, std::string bytes) {
  const iovec part{bytes.data(), bytes.size()};
  co_await wire.send({&part, 1}, Deadline::never());
}

loop::Task<void> serve_to_end(ServerConnection& server, WireEnd& ours) {
  co_await server.serve();
  ours.shutdown_send();
}

loop::Task<void> swallow(WireEnd& wire) {
  for (;;) {
    Result<Chunk> chunk = co_await wire.recv(Deadline::never());
    if (!chunk || chunk->empty()) co_return;
  }
}

loop::Task<void> end_at(ServerConnection& server, Wire& wire, std::string bytes, bool hard) {
  loop::Gate gate;
  gate.spawn(serve_to_end(server, wire.ours));
  co_await say(wire.theirs, std::move(bytes));
  gate.spawn(swallow(wire.theirs));
  if (hard) {
    wire.theirs.abort();
  } else {
    wire.theirs.shutdown_send();
  }
  co_await gate.close();
}

TEST_F(H2Stream, MayEndAtEveryByte) {
  begin();
  std::string all;
  loop::Gate gate;
  gate.spawn(and_stop(*loop_, record(*peer_, wire_->ours, all)));
  loop_->run();
  ASSERT_GT(all.size(), 100u);
  for (std::size_t size = 0; size <= all.size(); ++size) {
    for (const bool hard : {false, true}) {
      wire_ = std::make_unique<Wire>(*loop_);
      wire_->ours.piece = size % 3 == 0 ? 1 : SIZE_MAX;
      begin();
      loop::Gate ending;
      ending.spawn(and_stop(*loop_, end_at(*server_, *wire_, all.substr(0, size), hard)));
      loop_->run();
      ASSERT_EQ(sink_->exchanges.size(), 0u);
    }
  }
  ASSERT_GT(sink_->done.size(), 100u);
  EXPECT_EQ(sink_->done.back().body, "more");
}

// A handler is anywhere when its connection is cut.
loop::Task<void> cut_after(Peer& peer, ServerConnection& server, loop::Loop& loop, int turns) {
  peer.request(kPost, "hello", false);
  peer.request(kGet);
  co_await peer.flush();
  for (int i = 0; i < turns; ++i) co_await loop.sleep(Duration(0));
  server.cut();
  co_await peer.until_over();
}

TEST_F(H2Stream, MayBeCutAtAnyTurn) {
  sink_->handler = large;
  for (int turns = 0; turns < 4; ++turns) {
    wire_ = std::make_unique<Wire>(*loop_);
    wire_->theirs.room = 1'000;
    begin();
    run(cut_after(*peer_, *server_, *loop_, turns));
  }
  EXPECT_GT(sink_->done.size(), 2u);
}

// A large body that is on its way when the client leaves, and one when the handler is told to stop.
loop::Task<void> leave_midway(Peer& peer, WireEnd& wire) {
  wire.room = 5'000;
  const std::int32_t id = peer.request(kGet);
  co_await peer.until([&] { return peer.streams[id].body.size() > 20'000; });
  wire.abort();
}

TEST_F(H2Stream, LendsNothingToADeadConnection) {
  sink_->handler = large;
  begin();
  run(leave_midway(*peer_, wire_->theirs));
  EXPECT_EQ(sink_->done.size(), 1u);
}

loop::Task<void> reset_while_sending(Peer& peer, WireEnd& wire) {
  wire.room = 5'000;
  const std::int32_t id = peer.request(kGet);
  co_await peer.until([&] { return peer.streams[id].body.size() > 10'000; });
  nghttp2_submit_rst_stream(peer.session, 0, id, NGHTTP2_CANCEL);
  const std::int32_t next = peer.request(kGet);
  co_await peer.until_closed(next);
  EXPECT_EQ(peer.streams[next].body.size(), 50'000u);
}

TEST_F(H2Stream, IsResetWhileItsBytesAreLent) {
  sink_->handler = large;
  begin();
  run(reset_while_sending(*peer_, wire_->theirs));
}

loop::Task<void> two_requests(Peer& peer) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  const std::int32_t one = peer.request(kGet);
  co_await peer.until_closed(one);
  const std::int32_t two = peer.request(kGet);
  co_await peer.until_over();
  EXPECT_EQ(peer.streams[two].status(), "200");
  EXPECT_EQ(peer.goaway_code, NGHTTP2_NO_ERROR);
}

TEST_F(H2Stream, EndsAfterSoManyRequests) {
  settings_.requests_per_connection = 2;
  begin();
  run(two_requests(*peer_));
  EXPECT_EQ(server_->end_reason(), "");
}

}  // namespace
}  // namespace doorward::codec::h2
