// What passes in a WebSocket, and what becomes of who breaks a rule.
#include "handler/proxy/test_websocket.h"

namespace doorward::handler {
namespace {

// Both say that they close; the backend also ends its half.
loop::Task<void> close_from_backend(WebSocketTunnelTest& t) {
  co_await t.backend_->say(from_server(8, close_body(1000)));
  EXPECT_EQ(co_await t.at_client(), "close 1000");
  co_await t.client_->say(from_client(8, close_body(1000)));
  EXPECT_EQ(co_await t.at_backend(), "close 1000");
  t.leave(*t.backend_);
  EXPECT_EQ(co_await t.at_client(), "end");
}

loop::Task<void> talk_and_close(WebSocketTunnelTest& t) {
  EXPECT_EQ(co_await t.at_client(), "data 7");  // was there early
  EXPECT_EQ(co_await t.at_backend(), "data 10");
  co_await t.client_->say(from_client(9, "p") + from_client(2, std::string(70'000, 'x')));
  EXPECT_EQ(co_await t.at_backend(), "ping");
  EXPECT_EQ(co_await t.at_backend(), "data 70014");
  co_await t.backend_->say(from_server(10, "p") + from_server(1, "y"));
  EXPECT_EQ(co_await t.at_client(), "pong p");
  EXPECT_EQ(co_await t.at_client(), "data 3");
  co_await close_from_backend(t);
  t.leave(*t.client_);
  EXPECT_EQ(co_await t.at_backend(), "end");
}

TEST_F(WebSocketTunnelTest, MessagesPassBothWaysUntilBothHaveClosed) {
  for (const bool checked : {true, false}) {
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{5}}) {
      SetUp();
      client_->wire.ours.piece = backend_->wire.ours.piece = piece;
      client_early_ = Chunk::copy_of(from_client(1, "mask"));
      backend_early_ = Chunk::copy_of(from_server(1, "early"));
      checked ? make_checked() : make_plain();
      run(talk_and_close(*this));
      EXPECT_EQ(tunnel_->error_code(), "");
      EXPECT_FALSE(client_->wire.ours.aborted);
    }
  }
}

loop::Task<void> break_a_rule(WebSocketTunnelTest& t, std::string bytes, std::string told) {
  co_await t.client_->say(from_client(1, "good") + bytes);
  EXPECT_EQ(co_await t.at_client(), told);
  EXPECT_EQ(co_await t.at_client(), "end");
  t.leave(*t.client_);
  EXPECT_EQ(co_await t.at_backend(), "data 10");
  EXPECT_EQ(co_await t.at_backend(), "close 1001");
  co_await t.backend_->say(from_server(8, close_body(1001)));
  EXPECT_EQ(co_await t.at_backend(), "end");
}

TEST_F(WebSocketTunnelTest, AClientThatBreaksARuleIsToldWhich) {
  struct Case {
    std::string bytes, told;
    std::string_view code;
    std::uint32_t rate = 0;
  };
  for (const Case& one :
       {Case{from_server(1, "a"), "close 1002", "websocket_protocol_error"},
        Case{from_client(1, "\xff"), "close 1007", "websocket_protocol_error"},
        Case{from_client(2, std::string(101, 'a')), "close 1009", "websocket_message_too_large"},
        Case{from_client(1, ""), "close 1008", "websocket_too_fast", 1}}) {
    SetUp();
    rules_ = {.message_bytes = 100, .messages_per_second = one.rate};
    make_checked();
    run(break_a_rule(*this, one.bytes, one.told));
    EXPECT_EQ(tunnel_->error_code(), one.code);
    EXPECT_FALSE(client_->wire.ours.aborted);
  }
}

loop::Task<void> break_a_rule_as_backend(WebSocketTunnelTest& t, std::string bytes,
                                         std::string told) {
  co_await t.backend_->say(bytes);
  EXPECT_EQ(co_await t.at_backend(), told);
  EXPECT_EQ(co_await t.at_backend(), "end");
  t.leave(*t.backend_);
  EXPECT_EQ(co_await t.at_client(), "close 1001");
  co_await t.client_->say(from_client(8, close_body(1001)));
  EXPECT_EQ(co_await t.at_client(), "end");
}

TEST_F(WebSocketTunnelTest, ABackendThatBreaksARuleIsToldWhich) {
  rules_ = {.message_bytes = 100};
  make_checked();
  run(break_a_rule_as_backend(*this, from_server(1, std::string(101, 'a')), "close 1009"));
  EXPECT_EQ(tunnel_->error_code(), "websocket_message_too_large");
}

loop::Task<void> break_text_midway(WebSocketTunnelTest& t) {
  const std::string bytes = from_client(1, std::string(50, 'a') + "\xff" + std::string(50, 'b'));
  co_await t.client_->say(bytes.substr(0, 20));
  co_await t.loop_->sleep(Duration(1));
  co_await t.client_->say(bytes.substr(20));
  EXPECT_EQ(co_await t.at_client(), "close 1007");
  EXPECT_EQ(co_await t.at_client(), "end");
  t.leave(*t.client_);
  EXPECT_EQ(co_await t.at_backend(), "end");  // no close frame fits in the frame that has begun
  EXPECT_EQ(t.backend_->raw, bytes.substr(0, 20));
  t.leave(*t.backend_);
}

TEST_F(WebSocketTunnelTest, BrokenTextEndsTheOtherSideWithinItsFrame) {
  make_checked();
  run(break_text_midway(*this));
}

loop::Task<void> flood(WebSocketTunnelTest& t) {
  std::string many;
  for (int i = 0; i < 20; ++i) many += from_client(1, "a");
  co_await t.client_->say(many);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await t.at_backend(), "data 7");
  co_await t.loop_->sleep(Duration(300));  // some more are saved up
  co_await t.client_->say(from_client(1, "a") + from_client(9, "") + from_client(1, "a"));
  EXPECT_EQ(co_await t.at_backend(), "data 7");
  EXPECT_EQ(co_await t.at_backend(), "ping");
  EXPECT_EQ(co_await t.at_backend(), "data 7");
  co_await t.client_->say(many + many);
  EXPECT_EQ(co_await t.at_client(), "close 1008");
  t.leave(*t.client_);
  t.leave(*t.backend_);
}

TEST_F(WebSocketTunnelTest, ASecondsWorthOfMessagesMayComeAtOnce) {
  rules_ = {.messages_per_second = 20};
  make_checked();
  run(flood(*this));
  EXPECT_EQ(tunnel_->error_code(), "websocket_too_fast");
}

loop::Task<void> speak_no_websocket(WebSocketTunnelTest& t) {
  co_await t.client_->say("x");  // passes at once, though it may begin a frame
  co_await t.loop_->sleep(Duration(1));
  EXPECT_EQ(t.backend_->wire.theirs.waiting(), 1U);
  co_await t.client_->say("yz, no frames at all");
  co_await t.loop_->sleep(Duration(1));
  t.tunnel_->go_away();
  co_await t.backend_->say("nor here");
  co_await t.loop_->sleep(Duration(1));
  EXPECT_EQ(t.client_->wire.theirs.waiting(), 8U);
  t.leave(*t.client_);
  t.leave(*t.backend_);
}

TEST_F(WebSocketTunnelTest, WhatIsNoWebSocketStaysAPlainTunnel) {
  make({.idle = kLong, .closing = Duration(1)});
  run(speak_no_websocket(*this));
  EXPECT_EQ(backend_->wire.theirs.waiting(), 21U);
}

loop::Task<void> half_close(WebSocketTunnelTest& t) {
  co_await t.client_->say(from_client(1, "last"));
  t.leave(*t.client_);
  EXPECT_EQ(co_await t.at_backend(), "data 10");
  EXPECT_EQ(co_await t.at_backend(), "end");
  co_await t.backend_->say(from_server(1, "still"));
  EXPECT_EQ(co_await t.at_client(), "data 7");
  t.leave(*t.backend_);
  EXPECT_EQ(co_await t.at_client(), "end");
}

TEST_F(WebSocketTunnelTest, AHalfThatEndsIsPassedOnAsAHalf) {
  for (const bool checked : {true, false}) {
    SetUp();
    checked ? make_checked() : make_plain();
    run(half_close(*this));
  }
}

loop::Task<void> close_and_stay(WebSocketTunnelTest& t) {
  co_await close_from_backend(t);
  EXPECT_EQ(co_await t.at_backend(), "end");  // the client never ended its half
}

TEST_F(WebSocketTunnelTest, BothHalvesEndOnceBothSidesHaveClosed) {
  make({.idle = kLong, .closing = Duration(1)});
  run(close_and_stay(*this));
  EXPECT_EQ(tunnel_->error_code(), "");
}

}  // namespace
}  // namespace doorward::handler
