// A client connection with nghttp2 as the backend: requests, responses, room.
#include "codec/h2/test_client.h"

namespace doorward::codec::h2 {
namespace {

TEST_F(H2Client, AsksAndReads) {
  begin();
  Outcome out;
  out.request.headers.add("X-Mixed", "1");
  out.request.headers.add("Connection", "keep-alive");
  out.request.headers.add("TE", "trailers");
  run(both(ask(out), answer(*peer_, {{":status", "200"}, {"x", "y"}}, "content")));
  ASSERT_FALSE(out.error.has_value()) << out.error->cause;
  EXPECT_EQ(out.response.status, 200);
  EXPECT_EQ(out.response.reason, "OK");
  EXPECT_EQ(out.response.headers.value("x"), "y");
  EXPECT_EQ(out.body, "content");
  EXPECT_TRUE(out.reusable);
  const PeerStream& seen = peer_->streams[1];
  EXPECT_EQ(seen.field(0, ":method"), "GET");
  EXPECT_EQ(seen.field(0, ":path"), "/t?q");
  EXPECT_EQ(seen.field(0, ":scheme"), "http");
  EXPECT_EQ(seen.field(0, ":authority"), "backend.test");
  EXPECT_EQ(seen.field(0, "host"), "");
  EXPECT_EQ(seen.field(0, "x-mixed"), "1");
  EXPECT_EQ(seen.field(0, "connection"), "");
  EXPECT_EQ(seen.field(0, "te"), "trailers");
  EXPECT_TRUE(seen.ended);
}

TEST_F(H2Client, TakesEverySplit) {
  begin();
  ours_->piece = 1;
  Outcome out;
  run(both(ask(out, "upload"), answer(*peer_, {{":status", "200"}}, "content")));
  EXPECT_EQ(out.body, "content");
  EXPECT_EQ(peer_->streams[1].body, "upload");
  EXPECT_EQ(peer_->streams[1].field(0, "content-length"), "6");
}

TEST_F(H2Client, SharesOneConnection) {
  begin();
  std::vector<Outcome> outs(50);
  loop::Gate gate;
  loop::Task<void> (*all)(loop::Gate&, std::vector<loop::Task<void>>,
                          loop::Task<void>) = [](loop::Gate& g, std::vector<loop::Task<void>> tasks,
                                                 loop::Task<void> last) -> loop::Task<void> {
    for (auto& task : tasks) g.spawn(std::move(task));
    co_await std::move(last);
    co_await g.close();
  };
  std::vector<loop::Task<void>> tasks;
  for (Outcome& out : outs) tasks.push_back(ask(out));
  run(all(gate, std::move(tasks), answer(*peer_, {{":status", "204"}}, nullptr, 50)));
  for (const Outcome& out : outs) EXPECT_EQ(out.response.status, 204);
  EXPECT_EQ(peer_->order.size(), 50u);
}

// Lets the loop turn once, with something completing in it.
loop::Task<void> busy_turn(loop::Loop& loop) {
  struct Later {
    loop::Loop& loop;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { loop.resume_later(waiter); }
    void await_resume() const {}
  };
  loop.post([] {});
  co_await Later{loop};
}

TEST_F(H2Client, RequestsOfNeighbouringTurnsLeaveTogether) {
  begin();
  std::vector<Outcome> outs(4);
  std::size_t sends = 0;
  const auto ask_by_turns = [&](loop::Gate& gate) -> loop::Task<void> {
    while (client_->packed() == 0 || ours_->sends == 0) co_await busy_turn(*loop_);  // SETTINGS
    sends = ours_->sends;
    gate.spawn(ask(outs[0]));
    for (int i = 1; i < 4; ++i) {
      gate.spawn(ask(outs[i]));
      co_await busy_turn(*loop_);
    }
    co_await peer_->until([&] { return peer_->order.size() == 4; });
    sends = ours_->sends - sends;
    for (const std::int32_t id : std::vector(peer_->order)) {
      peer_->respond(id, {{":status", "204"}}, nullptr);
    }
    co_await peer_->flush();
    co_await gate.close();
  };
  loop::Gate gate;
  run(ask_by_turns(gate));
  for (const Outcome& out : outs) EXPECT_EQ(out.response.status, 204);
  EXPECT_EQ(sends, 1u);
}

loop::Task<void> full_answer(Peer& peer) {
  co_await peer.until([&] { return !peer.order.empty(); });
  peer.headers(1, {{":status", "103"}, {"link", "</a>"}}, false);
  peer.respond(1, {{":status", "200"}}, "body", false);
  co_await peer.flush();
  peer.trailers(1, {{"x-sum", "42"}});
  co_await peer.flush();
}

TEST_F(H2Client, ReadsInterimResponsesAndTrailers) {
  begin();
  Outcome out;
  run(both(ask(out), full_answer(*peer_)));
  EXPECT_EQ(out.statuses, (std::vector<std::uint16_t>{103, 200}));
  EXPECT_EQ(out.body, "body");
  EXPECT_EQ(out.trailer, "42");
}

TEST_F(H2Client, KnowsThatHeadHasNoContent) {
  begin();
  Outcome out;
  out.request.method_text = "HEAD";
  run(both(ask(out), answer(*peer_, {{":status", "200"}, {"content-length", "9"}}, nullptr)));
  EXPECT_FALSE(out.error.has_value());
  EXPECT_EQ(out.response.headers.value("content-length"), "9");
}

loop::Task<void> learn_limit(Peer& peer, ClientConnection& client, Owner& owner) {
  co_await peer.until([&] { return peer.settings_acked > 0; });
  Wait settled(client.loop());
  co_await client.settle(settled, Deadline::never());
  Arena arena;
  auto one = client.open();
  auto two = client.open();
  EXPECT_NE(one, nullptr);
  EXPECT_NE(two, nullptr);
  EXPECT_FALSE(client.room());
  EXPECT_EQ(client.open(), nullptr);
  EXPECT_EQ(owner.rooms, 0);
  one.reset();
  EXPECT_EQ(owner.rooms, 1);
  EXPECT_TRUE(client.room());
}

TEST_F(H2Client, HasRoomAsThePeerAllows) {
  begin({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}});
  run(learn_limit(*peer_, *client_, owner_));
}

loop::Task<void> drain_slowly(Peer& peer, std::size_t size) {
  co_await peer.until([&] { return peer.streams[1].body.size() == size; });
  peer.respond(1, {{":status", "200"}}, "thanks");
  co_await peer.flush();
}

TEST_F(H2Client, UploadsWithBackPressure) {
  begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}});
  theirs_->room = 10'000;
  Outcome out;
  run(both(ask(out, std::string(500'000, 'u')), drain_slowly(*peer_, 500'000)));
  EXPECT_EQ(out.body, "thanks");
}

loop::Task<void> tunnel_peer(Peer& peer) {
  co_await peer.until([&] { return !peer.order.empty(); });
  EXPECT_EQ(peer.streams[1].field(0, ":method"), "CONNECT");
  EXPECT_EQ(peer.streams[1].field(0, ":protocol"), "websocket");
  EXPECT_EQ(peer.streams[1].field(0, "sec-websocket-key"), "");
  peer.respond(1, {{":status", "200"}}, "welcome", false);
  co_await peer.until([&] { return peer.streams[1].body == "hello"; });
  peer.write(1, " back", true);
  co_await peer.until([&] { return peer.streams[1].ended; });
}

loop::Task<void> use_tunnel(ClientStream& stream, std::string& got) {
  Chunk early;
  loop::ByteStream* bytes = stream.take_transport(early);
  const std::string_view hello = "hello";
  const iovec parts[] = {{const_cast<char*>(hello.data()), 2},
                         {const_cast<char*>(hello.data()) + 2, 3}};
  const Result<void> sent = co_await bytes->send(parts, Deadline::never());
  EXPECT_TRUE(sent.has_value());
  for (;;) {
    Result<Chunk> chunk = co_await bytes->recv(Deadline::never());
    if (!chunk || chunk->empty()) break;
    got += chunk->view();
  }
  bytes->shutdown_send();
}

TEST_F(H2Client, OpensAWebSocket) {
  begin({{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}});
  Outcome out;
  out.request.headers.add("Upgrade", "websocket");
  out.request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  std::string got;
  auto script = [](auto& self, Outcome& o, std::string& into, Peer& peer,
                   ClientConnection& client) -> loop::Task<void> {
    while (!client.takes_websocket()) {
      co_await peer.flush();
      co_await self.loop_->sleep(Duration(1));
    }
    loop::Gate gate;
    gate.spawn(tunnel_peer(peer));
    co_await self.send(o, {});
    co_await self.read(o);
    EXPECT_EQ(o.response.status, 101);
    EXPECT_EQ(o.response.headers.value("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    if (o.stream->switched()) co_await use_tunnel(*o.stream, into);
    co_await gate.close();
    o.stream.reset();
  };
  run(script(*this, out, got, *peer_, *client_));
  EXPECT_EQ(got, "welcome back");
}

TEST_F(H2Client, OpensNoWebSocketUnasked) {
  begin();
  Outcome out;
  out.request.headers.add("Upgrade", "websocket");
  auto script = [](auto& self, Outcome& o) -> loop::Task<void> {
    co_await self.send(o, {});
    o.stream.reset();
  };
  run(script(*this, out));
  ASSERT_TRUE(out.error.has_value());
  EXPECT_EQ(out.error->kind, ErrorKind::unavailable);
}

loop::Task<void> close_in_order(ClientConnection& client, Peer& peer) {
  client.close();
  co_await peer.until_over();
}

TEST_F(H2Client, ClosesInOrder) {
  begin();
  run(close_in_order(*client_, *peer_));
  EXPECT_EQ(peer_->goaway_code, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client_->end_reason(), "");
}

}  // namespace
}  // namespace doorward::codec::h2
