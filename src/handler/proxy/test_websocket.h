// The fixture of tests of WebSocketTunnel: a client and a backend in memory, and what they hear.
// Only *_test.cc files include it.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>

#include "codec/h2/test_wire.h"
#include "codec/websocket/test_frames.h"
#include "handler/proxy/websocket_tunnel.h"

namespace doorward::handler {

using codec::h2::Wire;
using codec::websocket::close_body;
using codec::websocket::FrameReader;
using codec::websocket::from_client;
using codec::websocket::from_server;
using codec::websocket::Opcode;
using codec::websocket::Rules;
using codec::websocket::Sender;

// One peer of the tunnel, with what it was told: frames as "text hello", "close 1001 why".
class Side {
 public:
  Side(loop::Loop& loop, Sender other) : wire(loop), reader_(other, true, 0) {}

  loop::Task<void> say(std::string bytes) {
    const iovec part{bytes.data(), bytes.size()};
    co_await wire.theirs.send({&part, 1}, Deadline::never());
  }
  // The next frame; "end" after the last, "broken" when it was aborted.
  loop::Task<std::string> hear(loop::Loop& loop) {
    for (;;) {
      std::string_view rest = std::string_view(bytes_).substr(used_);
      const std::size_t before = rest.size();
      std::string_view piece;
      const FrameReader::Step step = read_one(rest, piece);
      used_ += before - rest.size();
      if (step == FrameReader::Step::control) co_return control();
      if (step == FrameReader::Step::pass) {
        frame_ += piece;
        if (!reader_.inside_frame()) co_return "data " + std::to_string(take_frame());
        continue;
      }
      if (step == FrameReader::Step::refused) co_return "nonsense";
      Result<Chunk> got = co_await wire.theirs.recv(Deadline::after(loop.now(), Duration(10'000)));
      if (!got) co_return got.error().kind == ErrorKind::timeout ? "silence" : "broken";
      if (got->empty()) co_return "end";
      raw += got->view();
      bytes_ = std::string(got->view());
      used_ = 0;
    }
  }

  Wire wire;
  std::string raw;  // as received

 private:
  FrameReader::Step read_one(std::string_view& rest, std::string_view& piece) {
    reader_.read_frame_by_frame();
    return reader_.next(rest, piece);
  }
  std::size_t take_frame() { return std::exchange(frame_, {}).size(); }
  std::string control() const {
    const std::string_view payload = reader_.control().payload();
    if (reader_.control().opcode == Opcode::ping) return "ping";
    if (reader_.control().opcode == Opcode::pong) return "pong " + std::string(payload);
    if (payload.empty()) return "close";
    const int code =
        static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
    return "close " + std::to_string(code);
  }

  FrameReader reader_;
  std::string bytes_, frame_;
  std::size_t used_ = 0;
};

class WebSocketTunnelTest : public ::testing::Test {
 public:
  void SetUp() override {
    tunnel_.reset();
    client_.reset();
    backend_.reset();
    loop_ = std::move(*loop::Loop::create({.backend = loop::Backend::epoll}));
    client_ = std::make_unique<Side>(*loop_, Sender::server);
    backend_ = std::make_unique<Side>(*loop_, Sender::client);
  }
  void make(WebSocketTunnel::Settings settings) {
    tunnel_ = std::make_unique<WebSocketTunnel>(*loop_, client_->wire.ours, backend_->wire.ours,
                                                settings);
  }
  void make_checked() { make({.idle = kLong, .rules = &rules_}); }
  void make_plain() { make({.idle = kLong}); }

  // Runs the tunnel beside `script` until both have ended.
  void run(loop::Task<void> script) {
    loop::Gate gate;
    gate.spawn(both(std::move(script)));
    loop_->run();
    ASSERT_EQ(gate.count(), 0U);
  }
  loop::Task<void> both(loop::Task<void> script) {
    loop::Gate gate;
    gate.spawn(tunnel_->run(std::move(client_early_), std::move(backend_early_)));
    co_await std::move(script);
    co_await gate.close();
    loop_->stop();
  }
  loop::Task<std::string> at_client() { return client_->hear(*loop_); }
  loop::Task<std::string> at_backend() { return backend_->hear(*loop_); }
  void leave(Side& side) { side.wire.theirs.shutdown_send(); }

  static constexpr Duration kLong{60'000};
  Rules rules_;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Side> client_, backend_;
  Chunk client_early_, backend_early_;
  std::unique_ptr<WebSocketTunnel> tunnel_;
};

}  // namespace doorward::handler
