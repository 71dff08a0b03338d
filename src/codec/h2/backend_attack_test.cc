// Attacks by a backend whose cost must be bounded: each ends the connection with a reason, or only
// the stream, after a number of frames that is known.
#include "codec/h2/test_client.h"

namespace doorward::codec::h2 {
namespace {

constexpr std::uint8_t kEndHeaders = NGHTTP2_FLAG_END_HEADERS;

std::string headers(std::string_view block, std::uint8_t flags = kEndHeaders,
                    std::uint32_t id = 1) {
  return Peer::frame(NGHTTP2_HEADERS, flags, id, block);
}

loop::Task<void> flood_once(Peer& peer, std::string bytes) {
  co_await peer.until([&] { return !peer.order.empty() && peer.settings_acked > 0; });
  peer.raw(std::move(bytes));
  co_await peer.until([&] { return peer.streams[1].closed; });
}

class H2BackendAttack : public H2Client {
 protected:
  // Answers a request with `before` and then `count` of `frame`, received a frame at a time.
  void attack(const std::string& frame, int count, const std::string& before = {}) {
    begin();
    run(both(ask(out_), flood(before, frame, count)));
  }
  loop::Task<void> flood(std::string before, std::string frame, int count) {
    co_await peer_->until([this] { return !peer_->order.empty() && peer_->settings_acked > 0; });
    peer_->raw(before);
    co_await peer_->flush();
    while (theirs_->acknowledged() < theirs_->sent()) co_await loop_->sleep(Duration(0));
    ours_->piece = frame.size();
    taken_before_ = ours_->received();
    std::string all;
    for (int i = 0; i < count; ++i) all += frame;
    peer_->raw(all);
    co_await peer_->until([this] { return client_->dead(); });
    taken_ = static_cast<int>((ours_->received() - taken_before_) / frame.size());
  }

  // Each response is left alone behind its head.
  loop::Task<void> leave_again_and_again(int count) {
    for (int i = 0; i < count; ++i) {
      Outcome out;
      co_await send(out, {});
      http::ResponseHead head(out.arena);
      const Deadline deadline = Deadline::after(loop_->now(), Duration(3'000));
      const Result<void> got = co_await out.stream->read_response(head, out.arena, deadline);
      EXPECT_TRUE(got.has_value());
      out.stream.reset();
    }
  }
  // It was given up after so many of the frames, at most.
  void expect_given_up(Abuse abuse, int frames) {
    EXPECT_EQ(client_->abuse(), abuse) << to_string(client_->abuse());
    EXPECT_EQ(client_->end_reason(), to_string(abuse));
    EXPECT_LE(taken_, frames);
    ASSERT_TRUE(out_.error.has_value());
    EXPECT_EQ(out_.error->kind, ErrorKind::protocol);
    EXPECT_EQ(out_.error->side, Side::backend);
    EXPECT_EQ(out_.error->reason, to_string(abuse));
    EXPECT_EQ(out_.error->retry, Retry::no);
  }
  // Only the stream was, for this fault in its response.
  void expect_refused(std::string_view code) {
    ASSERT_TRUE(out_.error.has_value());
    EXPECT_EQ(out_.error->kind, ErrorKind::protocol);
    EXPECT_EQ(out_.error->reason, code);
    EXPECT_EQ(client_->end_reason(), "");
  }

  Outcome out_;
  int taken_ = 0;
  std::uint64_t taken_before_ = 0;
};

TEST_F(H2BackendAttack, PingFlood) {
  attack(Peer::frame(NGHTTP2_PING, 0, 0, "12345678"), 2000);
  expect_given_up(Abuse::ping_flood, 250);
}

TEST_F(H2BackendAttack, SettingsFlood) {
  attack(Peer::frame(NGHTTP2_SETTINGS, 0, 0, ""), 1000);
  expect_given_up(Abuse::settings_flood, 60);
}

TEST_F(H2BackendAttack, WindowUpdateFlood) {
  attack(Peer::frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string("\0\0\0\1", 4)), 10'000);
  expect_given_up(Abuse::window_flood, 2300);
}

TEST_F(H2BackendAttack, PriorityFlood) {
  attack(Peer::frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\0\x10", 5)), 2000);
  expect_given_up(Abuse::priority_flood, 250);
}

TEST_F(H2BackendAttack, UnknownFrameFlood) {
  attack(Peer::frame(0x77, 0, 0, "?"), 2000);
  expect_given_up(Abuse::unknown_flood, 250);
}

TEST_F(H2BackendAttack, GoawayFlood) {
  const std::string last("\0\0\0\1\0\0\0\0", 8);
  attack(Peer::frame(NGHTTP2_GOAWAY, 0, 0, last), 2000);
  expect_given_up(Abuse::unknown_flood, 250);
}

TEST_F(H2BackendAttack, EmptyFrameFlood) {
  attack(Peer::frame(NGHTTP2_DATA, 0, 1, ""), 2000, headers("\x88"));
  EXPECT_EQ(client_->end_reason(), "empty_flood");
  EXPECT_LE(taken_, 250);
}

TEST_F(H2BackendAttack, ContinuationFlood) {
  attack(Peer::frame(NGHTTP2_CONTINUATION, 0, 1, ""), 10'000, headers("\x88", 0));
  expect_given_up(Abuse::continuation_flood, 20);
}

// One field of 4,000 bytes goes into the table; each byte behind it names it again.
TEST_F(H2BackendAttack, HpackBomb) {
  std::string block = "\x88";
  block += std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  block += std::string(10'000, '\xbe');
  attack(headers(block), 1);
  expect_given_up(Abuse::hpack_bomb, 1);
}

TEST_F(H2BackendAttack, ANewBombForEachStreamThatIsOver) {
  std::string block = std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  block += std::string(10'000, '\xbe');
  attack(headers(block), 1000, headers("\x88", kEndHeaders | NGHTTP2_FLAG_END_STREAM));
  EXPECT_EQ(client_->end_reason(), "closed_flood");
  EXPECT_LE(taken_, 150);  // twice a connection's window of 1 MiB
}

TEST_F(H2BackendAttack, AHeadOverTheLimitEndsItsStream) {
  settings_.parse.head_bytes = 4000;
  begin();
  run(both(ask(out_), answer(*peer_, {{":status", "200"}, {"x", std::string(6000, 'v')}}, "x")));
  expect_refused("head_too_large");
}

TEST_F(H2BackendAttack, EndlessInterimResponsesEndTheirStream) {
  begin();
  std::string all;
  for (int i = 0; i < 100; ++i) all += headers(std::string("\x08\x03", 2) + "103");
  run(both(ask(out_), flood_once(*peer_, all)));
  expect_refused("too_many_interim");
  EXPECT_EQ(out_.statuses.size(), 16u);
}

// Each frame of a stream that goes on here costs as little as the engine makes of it, but they
// would never end.
TEST_F(H2BackendAttack, ResetsOfStreamsThatAreOver) {
  attack(Peer::frame(NGHTTP2_RST_STREAM, 0, 1, std::string("\0\0\0\0", 4)), 200'000,
         headers("\x88", kEndHeaders | NGHTTP2_FLAG_END_STREAM));
  EXPECT_EQ(client_->end_reason(), "closed_flood");
  EXPECT_LE(taken_, 2 * 1024 * 1024 / 13 + 100);
}

TEST_F(H2BackendAttack, ContentOfAStreamThatIsOver) {
  const std::string piece(16'000, 'd');
  attack(Peer::frame(NGHTTP2_DATA, 0, 1, piece), 1000,
         headers("\x88", kEndHeaders | NGHTTP2_FLAG_END_STREAM));
  EXPECT_EQ(client_->end_reason(), "closed_flood");
  EXPECT_LE(taken_, 140);
}

TEST_F(H2BackendAttack, ContentThatIsTooLarge) {
  attack(std::string("\xff\xff\xff\0\0\0\0\0\1", 9), 1);
  EXPECT_EQ(client_->end_reason(), "protocol_error");
  EXPECT_EQ(client_->abuse(), Abuse::none);
}

TEST_F(H2BackendAttack, Promises) {
  const std::string promise = std::string("\0\0\0\2", 4) + "\x82\x86\x84";
  attack(Peer::frame(NGHTTP2_PUSH_PROMISE, kEndHeaders, 1, promise), 1000);
  EXPECT_EQ(client_->end_reason(), "protocol_error");
  EXPECT_EQ(client_->end_detail(), "PUSH_PROMISE, which was not allowed");
  EXPECT_LE(taken_, 1);
  ASSERT_TRUE(out_.error.has_value());
  EXPECT_EQ(out_.error->kind, ErrorKind::protocol);
}

TEST_F(H2BackendAttack, AWindowThatOverflows) {
  const std::string most("\x7f\xff\xff\xff", 4);
  begin();
  run(both(ask(out_), flood_once(*peer_, Peer::frame(NGHTTP2_WINDOW_UPDATE, 0, 1, most))));
  expect_refused("bad_stream_frame");
}

TEST_F(H2BackendAttack, AConnectionsWindowThatOverflows) {
  attack(Peer::frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string("\x7f\xff\xff\xff", 4)), 1);
  EXPECT_EQ(client_->end_reason(), "protocol_error");
  ASSERT_TRUE(out_.error.has_value());
  EXPECT_EQ(out_.error->kind, ErrorKind::protocol);
}

TEST_F(H2BackendAttack, ContentBeforeTheHead) {
  const std::string early = headers(std::string("\x08\x03", 2) + "103");
  const std::string piece = Peer::frame(NGHTTP2_DATA, 0, 1, "x");
  for (const std::string& content :
       {piece, piece + piece, Peer::frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, ""),
        Peer::frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "x")}) {
    owner_ = {};
    out_.error.reset();
    begin();
    run(both(ask(out_), flood_once(*peer_, early + content)));
    expect_refused("data_before_head");
  }
}

// Downloads that are cut off again and again; of each a window may be on its way.
loop::Task<void> cut_off(Peer& peer, int count) {
  for (int i = 1; i <= count; ++i) {
    const auto id = static_cast<std::int32_t>(2 * i - 1);
    co_await peer.until([&] { return peer.order.size() >= static_cast<std::size_t>(i); });
    peer.raw(headers("\x88", kEndHeaders, static_cast<std::uint32_t>(id)));
    co_await peer.until([&] { return peer.streams[id].closed; });
    const std::string piece(16'000, 'd');
    for (int k = 0; k < 16; ++k) {
      peer.raw(Peer::frame(NGHTTP2_DATA, 0, static_cast<std::uint32_t>(id), piece));
    }
    co_await peer.flush();
  }
}

TEST_F(H2BackendAttack, WhatWasOnItsWayIsNoAttack) {
  settings_.idle_timeout = Duration(100);
  begin();
  run(both(leave_again_and_again(40), cut_off(*peer_, 40)));
  EXPECT_EQ(client_->end_reason(), "");
}

}  // namespace
}  // namespace doorward::codec::h2
