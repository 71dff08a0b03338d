// The fixture of HTTP/2 tests: a loop, a wire, and a server connection on one end of it with an
// nghttp2 client on the other. Only *_test.cc files include it.
#pragma once

#include <gtest/gtest.h>

#include "codec/h2/test_peer.h"
#include "codec/h2/test_server.h"

namespace doorward::codec::h2 {

inline const Fields kGet = {
    {":method", "GET"}, {":scheme", "http"}, {":path", "/a?b"}, {":authority", "example.com"}};
inline const Fields kPost = {
    {":method", "POST"}, {":scheme", "http"}, {":path", "/p"}, {":authority", "example.com"}};

inline Fields with(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

class H2Test : public testing::Test {
 protected:
  void SetUp() override {
    auto made = loop::Loop::create({.backend = loop::Backend::epoll});
    ASSERT_TRUE(made.has_value());
    loop_ = std::move(*made);
    wire_ = std::make_unique<Wire>(*loop_);
    sink_ = std::make_unique<TestSink>(*loop_);
    settings_.session.max_concurrent_streams = 100;
  }

  // Makes the connection and the peer; `run(script)` then runs both to their ends.
  void begin(bool auto_window = true) {
    server_ = std::make_unique<ServerConnection>(*loop_, wire_->ours, *sink_,
                                                 std::make_shared<ServerSettings>(settings_));
    peer_ = std::make_unique<Peer>(wire_->theirs, Peer::Role::client, auto_window);
    peer_->deadline = Deadline::after(loop_->now(), Duration(20'000));
    peer_->settings();
  }
  // Runs `script` beside the server, then hangs up and waits for the server's end.
  void run(loop::Task<void> script) {
    loop::Gate gate;
    gate.spawn(stop_after(std::move(script)));
    loop_->run();
    ASSERT_EQ(gate.count(), 0u);
    ASSERT_EQ(sink_->exchanges.size(), 0u);
  }
  loop::Task<void> stop_after(loop::Task<void> script) {
    loop::Gate serving;
    serving.spawn(serve_and_close());
    co_await std::move(script);
    wire_->theirs.shutdown_send();
    if (!peer_->over) co_await peer_->until_over();
    co_await serving.close();
    loop_->stop();
  }
  loop::Task<void> serve_and_close() {
    co_await server_->serve();
    wire_->ours.shutdown_send();
  }
  // One request, to its end.
  PeerStream& exchange(const Fields& fields, const char* body = nullptr) {
    if (peer_ == nullptr) begin();
    run(one(fields, body));
    return peer_->streams[1];
  }
  loop::Task<void> one(Fields fields, const char* body) {
    const std::int32_t id = peer_->request(fields, body);
    co_await peer_->until_closed(id);
  }

  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<TestSink> sink_;
  ServerSettings settings_;
  std::unique_ptr<ServerConnection> server_;
  std::unique_ptr<Peer> peer_;
};

}  // namespace doorward::codec::h2
