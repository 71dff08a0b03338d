// The fixture of client tests: a client connection on one end of a wire with nghttp2 as the backend
// on the other. Only *_test.cc files include it.
#pragma once

#include <gtest/gtest.h>
#include <optional>

#include "codec/h2/client_connection.h"
#include "codec/h2/test_peer.h"
#include "http/field.h"

namespace doorward::codec::h2 {

struct Owner final : ClientOwner {
  void on_room(ClientConnection&) override { ++rooms; }
  void on_end(ClientConnection&) override { ++ends; }
  int rooms = 0;
  int ends = 0;
};

// What became of one request.
struct Outcome {
  std::unique_ptr<ClientStream> stream;
  Arena arena;
  http::RequestHead request{arena};
  std::vector<std::uint16_t> statuses;
  http::ResponseHead response{arena};
  std::string body;
  std::string trailer;
  std::optional<Error> error;
  bool sent = false;
  bool unseen = false;
  bool reusable = false;
};

class H2Client : public testing::Test {
 protected:
  void SetUp() override {
    auto made = loop::Loop::create({.backend = loop::Backend::epoll});
    ASSERT_TRUE(made.has_value());
    loop_ = std::move(*made);
  }

  void begin(std::vector<nghttp2_settings_entry> entries = {}) {
    theirs_ = std::make_unique<WireEnd>(*loop_);
    auto ours = std::make_unique<WireEnd>(*loop_);
    ours->connect(*theirs_);
    ours->begin_at(before_);
    ours_ = ours.get();
    client_ = std::make_unique<ClientConnection>(*loop_, std::move(ours), settings_, owner_);
    peer_ = std::make_unique<Peer>(*theirs_, Peer::Role::server);
    peer_->deadline = Deadline::after(loop_->now(), Duration(5'000));
    peer_->settings(std::move(entries));
  }
  void run(loop::Task<void> script) {
    loop::Gate gate;
    gate.spawn(stop_after(std::move(script)));
    loop_->run();
    ASSERT_EQ(gate.count(), 0u);
    EXPECT_EQ(owner_.ends, 1);
  }
  loop::Task<void> stop_after(loop::Task<void> script) {
    loop::Gate serving;
    serving.spawn(client_->serve());
    co_await std::move(script);
    theirs_->shutdown_send();
    co_await serving.close();
    loop_->stop();
  }

  // Sends a request and reads all of its response.
  loop::Task<void> ask(Outcome& out, std::string body = {}) {
    co_await send(out, std::move(body));
    co_await read(out);
    out.stream.reset();
  }
  loop::Task<void> send(Outcome& out, std::string body) {
    out.stream = client_->open();
    if (out.stream == nullptr) co_return;
    out.stream->begin(out.arena);
    http::RequestHead& head = out.request;
    if (head.target.empty()) head.target = "/t?q";
    if (head.method_text.empty()) head.method_text = body.empty() ? "GET" : "POST";
    head.method = http::classify_method(head.method_text);
    head.headers.set("Host", "backend.test");
    const std::string_view kept = out.arena.copy(body);
    const BodySize size = kept.empty() ? BodySize::empty() : BodySize::known(kept.size());
    Result<void> sent = co_await out.stream->send_request(head, size, kept, true);
    out.sent = sent.has_value();
    if (!sent) out.error = sent.error();
  }
  loop::Task<void> read(Outcome& out) {
    if (out.stream == nullptr) co_return;
    do {
      http::ResponseHead head(out.arena);
      const Deadline deadline = Deadline::after(loop_->now(), Duration(3'000));
      Result<void> got = co_await out.stream->read_response(head, out.arena, deadline);
      if (!got) co_return note(out, got.error());
      out.statuses.push_back(head.status);
      out.response = std::move(head);
    } while (out.response.status < 200 && out.response.status != 101);
    if (out.stream->switched()) co_return;
    for (bool last = false; !last;) {
      Result<Piece> piece = co_await out.stream->read_body();
      if (!piece) co_return note(out, piece.error());
      out.body += piece->chunk.view();
      last = piece->last;
    }
    if (out.stream->received_trailers() != nullptr) {
      out.trailer = out.stream->received_trailers()->value("x-sum");
    }
    out.reusable = out.stream->reusable();
  }
  static void note(Outcome& out, const Error& error) {
    out.error = error;
    out.unseen = out.stream->provably_unseen();
  }

  std::unique_ptr<loop::Loop> loop_;
  ClientSettings settings_;
  std::uint64_t before_ = 0;  // bytes that the transport sent of its own
  Owner owner_;
  std::unique_ptr<WireEnd> theirs_;
  WireEnd* ours_ = nullptr;
  std::unique_ptr<ClientConnection> client_;
  std::unique_ptr<Peer> peer_;
};

inline loop::Task<void> answer(Peer& peer, Fields fields, const char* body, int count = 1) {
  co_await peer.until([&] { return peer.order.size() >= static_cast<std::size_t>(count); });
  for (const std::int32_t id : std::vector(peer.order)) peer.respond(id, fields, body);
  co_await peer.flush();
}

inline loop::Task<void> both(loop::Task<void> one, loop::Task<void> other) {
  loop::Gate gate;
  gate.spawn(std::move(one));
  gate.spawn(std::move(other));
  co_await gate.close();
}

}  // namespace doorward::codec::h2
