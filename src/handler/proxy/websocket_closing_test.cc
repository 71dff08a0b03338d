// How a WebSocket ends for other reasons than its peers': a drain, silence, a broken side; and that
// it always comes to its end.
#include "handler/proxy/test_websocket.h"

namespace doorward::handler {
namespace {

loop::Task<void> go_away_within_a_frame(WebSocketTunnelTest& t) {
  const std::string bytes = from_client(1, std::string(100, 'a'));
  co_await t.client_->say(bytes.substr(0, 30));
  co_await t.loop_->sleep(Duration(1));
  t.tunnel_->go_away();
  EXPECT_EQ(co_await t.at_client(), "close 1001");
  co_await t.client_->say(bytes.substr(30) + from_client(1, "too late"));
  EXPECT_EQ(co_await t.at_backend(), "data 106");
  EXPECT_EQ(co_await t.at_backend(), "close 1001");
  co_await t.client_->say(from_client(8, close_body(1001)));
  co_await t.backend_->say(from_server(8, close_body(1001)));
  EXPECT_EQ(co_await t.at_client(), "end");
  EXPECT_EQ(co_await t.at_backend(), "end");
}

TEST_F(WebSocketTunnelTest, GoingAwayIsSaidAtTheNextEndOfAFrame) {
  for (const bool checked : {true, false}) {
    SetUp();
    checked ? make_checked() : make_plain();
    run(go_away_within_a_frame(*this));
    EXPECT_EQ(tunnel_->error_code(), "");
    EXPECT_FALSE(client_->wire.ours.aborted);
    EXPECT_FALSE(backend_->wire.ours.aborted);
  }
}

loop::Task<void> dismiss_while_open(WebSocketTunnelTest& t) {
  co_await t.client_->say(from_client(1, "a"));
  EXPECT_EQ(co_await t.at_backend(), "data 7");
  t.tunnel_->dismiss("websocket_credential_expired", "the token has expired");
  EXPECT_EQ(co_await t.at_client(), "close 1008");
  EXPECT_EQ(co_await t.at_backend(), "close 1008");
  co_await t.client_->say(from_client(8, close_body(1008)));
  co_await t.backend_->say(from_server(8, close_body(1008)));
  EXPECT_EQ(co_await t.at_client(), "end");
  EXPECT_EQ(co_await t.at_backend(), "end");
}

TEST_F(WebSocketTunnelTest, OneWhoseCredentialIsOverEndsWithACloseFrame) {
  for (const bool checked : {true, false}) {
    SetUp();
    checked ? make_checked() : make_plain();
    run(dismiss_while_open(*this));
    EXPECT_EQ(tunnel_->error_code(), "websocket_credential_expired");
  }
}

loop::Task<void> go_away_before(WebSocketTunnelTest& t) {
  EXPECT_EQ(co_await t.at_client(), "close 1001");
  EXPECT_EQ(co_await t.at_backend(), "close 1001");
  co_await t.client_->say(from_client(8, ""));
  co_await t.backend_->say(from_server(8, ""));
  EXPECT_EQ(co_await t.at_client(), "end");
}

TEST_F(WebSocketTunnelTest, ADrainBeforeTheBeginningIsNotForgotten) {
  make_plain();
  tunnel_->go_away();
  run(go_away_before(*this));
}

loop::Task<void> go_away_unanswered(WebSocketTunnelTest& t) {
  t.tunnel_->go_away();
  EXPECT_EQ(co_await t.at_client(), "close 1001");
  EXPECT_EQ(co_await t.at_backend(), "close 1001");
  co_await t.client_->say(from_client(1, "never mind"));
  EXPECT_EQ(co_await t.at_client(), "end");
  EXPECT_EQ(co_await t.at_backend(), "end");
}

TEST_F(WebSocketTunnelTest, WhoDoesNotAnswerIsNotWaitedForLong) {
  make({.idle = kLong, .closing = Duration(50)});
  run(go_away_unanswered(*this));
}

loop::Task<void> go_away_to_one_who_reads_nothing(WebSocketTunnelTest& t) {
  t.backend_->wire.theirs.room = 10;
  co_await t.client_->say(from_client(2, std::string(1000, 'x')));
  co_await t.loop_->sleep(Duration(1));
  t.tunnel_->go_away();
  EXPECT_EQ(co_await t.at_client(), "close 1001");
  EXPECT_EQ(co_await t.at_client(), "end");
}

TEST_F(WebSocketTunnelTest, WhoReadsNothingIsNotWaitedForLong) {
  make({.idle = kLong, .rules = &rules_, .closing = Duration(50)});
  run(go_away_to_one_who_reads_nothing(*this));
  EXPECT_TRUE(backend_->wire.ours.aborted);
}

loop::Task<void> answer_pings(WebSocketTunnelTest& t) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(co_await t.at_client(), "ping");
    const std::string id = t.client_->raw.substr(t.client_->raw.size() - 8);
    co_await t.client_->say(from_client(10, id));
    co_await t.backend_->say(from_server(10, "unasked"));
    EXPECT_EQ(co_await t.at_client(), "pong unasked");
  }
  co_await t.client_->say(from_client(8, ""));
  // Of the answers to Doorward's pings nothing has come here.
  std::string heard = "ping";
  while (heard == "ping") heard = co_await t.at_backend();
  EXPECT_EQ(heard, "close");
  co_await t.backend_->say(from_server(8, ""));
}

TEST_F(WebSocketTunnelTest, WhoIsSilentIsAskedForASignOfLife) {
  rules_ = {.idle_timeout = Duration(100)};
  make_checked();
  run(answer_pings(*this));
  EXPECT_EQ(tunnel_->error_code(), "");
}

loop::Task<void> stay_silent(WebSocketTunnelTest& t) {
  EXPECT_EQ(co_await t.at_client(), "ping");
  EXPECT_EQ(co_await t.at_client(), "close 1001");
  EXPECT_EQ(co_await t.at_backend(), "ping");
  EXPECT_EQ(co_await t.at_backend(), "close 1001");
  t.leave(*t.client_);
  t.leave(*t.backend_);
}

TEST_F(WebSocketTunnelTest, WhoGivesNoneIsClosed) {
  rules_ = {.idle_timeout = Duration(50)};
  make_checked();
  run(stay_silent(*this));
  EXPECT_EQ(tunnel_->error_code(), "websocket_idle");
}

TEST_F(WebSocketTunnelTest, TheServicesIdleTimeHolds) {
  make({.idle = Duration(50), .closing = Duration(50)});
  run(go_away_before(*this));
  EXPECT_EQ(tunnel_->error_code(), "websocket_idle");
}

loop::Task<void> leave_broken(WebSocketTunnelTest& t) {
  t.client_->wire.theirs.abort();
  EXPECT_EQ(co_await t.at_backend(), "broken");
}

TEST_F(WebSocketTunnelTest, ASideThatBreaksTakesTheOtherAlong) {
  make_checked();
  run(leave_broken(*this));
}

loop::Task<void> revoke(WebSocketTunnelTest& t) {
  t.tunnel_->close(WebSocketTunnel::CloseCode::policy_violation, "the credential has expired");
  t.tunnel_->go_away();  // too late
  EXPECT_EQ(co_await t.at_client(), "close 1008");
  EXPECT_TRUE(t.client_->raw.ends_with("the credential has expired"));
  EXPECT_EQ(co_await t.at_backend(), "close 1008");
  t.client_->wire.theirs.abort();
  t.leave(*t.backend_);
}

TEST_F(WebSocketTunnelTest, MayBeClosedForAReason) {
  make_checked();
  run(revoke(*this));
}

}  // namespace
}  // namespace doorward::handler
