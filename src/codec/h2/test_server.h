// A server connection over a wire with a sink that notes requests and answers them, for tests.
// Only *_test.cc and *_fuzz.cc files include it.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "codec/h2/server_connection.h"
#include "codec/h2/test_wire.h"

namespace doorward::codec::h2 {

// What a request was, as the sink saw it.
struct Seen {
  std::string method, target, body, refusal;
  std::vector<std::pair<std::string, std::string>> headers, trailers;
  BodySize size;
  bool awaits_continue = false;
  std::string error;  // of the body

  std::string header(std::string_view name) const {
    for (const auto& [n, v] : headers) {
      if (n == name) return v;
    }
    return "(none)";
  }
};

class TestSink final : public RequestSink {
 public:
  using Handler = loop::Task<void> (*)(TestSink&, Incoming&, codec::ServerStream&, Seen&);
  explicit TestSink(loop::Loop& on) : loop(on) {}

  struct Exchange {
    Arena arena;
    http::RequestHead head{arena};
    Incoming incoming{arena, head};
    Seen seen;
  };

  Incoming& open(codec::ServerStream&) override {
    ++opened;
    exchanges.push_back(std::make_unique<Exchange>());
    return exchanges.back()->incoming;
  }
  loop::Task<void> run(Incoming& incoming, codec::ServerStream& stream) override {
    Exchange& exchange = find(incoming);
    note(exchange, stream);
    return handler(*this, incoming, stream, exchange.seen);
  }
  loop::Task<void> refuse(Incoming& incoming, codec::ServerStream& stream,
                          BadRequest why) override {
    find(incoming).seen.refusal = why.code;
    refusals.emplace_back(why.code);
    return reply(incoming, stream, why.status, std::string(why.code));
  }
  void on_stream_reset(Side by, std::uint32_t) override { resets += by == Side::client ? 1 : 0; }
  void close(Incoming& incoming) override {
    for (auto at = exchanges.begin(); at != exchanges.end(); ++at) {
      if (&(*at)->incoming != &incoming) continue;
      done.push_back((*at)->seen);
      exchanges.erase(at);
      return;
    }
  }

  static loop::Task<void> reply(Incoming& incoming, codec::ServerStream& stream,
                                std::uint16_t status, std::string body) {
    http::ResponseHead head(incoming.arena);
    head.status = status;
    head.headers.add("X-Test", "yes");
    co_await stream.send_response(head, BodySize::known(body.size()), body, true);
  }
  // Reads the whole body, then answers with it.
  static loop::Task<void> echo(TestSink&, Incoming& incoming, codec::ServerStream& stream,
                               Seen& seen) {
    if (!co_await read_all(stream, seen)) {
      stream.abort();
      co_return;
    }
    co_await reply(incoming, stream, 200, seen.body);
  }
  static loop::Task<bool> read_all(codec::ServerStream& stream, Seen& seen) {
    for (bool last = !stream.received_size().may_have_bytes(); !last;) {
      Result<Piece> piece = co_await stream.read_body();
      if (!piece) {
        seen.error =
            std::string(to_string(piece.error().kind)) + ":" + std::string(piece.error().reason);
        co_return false;
      }
      seen.body += piece->chunk.view();
      last = piece->last;
    }
    if (const http::HeaderList* trailers = stream.received_trailers()) {
      for (const http::Header& t : *trailers) seen.trailers.emplace_back(t.name, t.value);
    }
    co_return true;
  }

  loop::Loop& loop;
  Handler handler = echo;
  std::list<std::unique_ptr<Exchange>> exchanges;
  std::vector<Seen> done;
  std::vector<std::string> refusals;
  int opened = 0;
  int resets = 0;   // streams, by the client
  int counter = 0;  // for handlers

 private:
  Exchange& find(Incoming& incoming) {
    for (auto& exchange : exchanges) {
      if (&exchange->incoming == &incoming) return *exchange;
    }
    std::abort();
  }
  void note(Exchange& exchange, codec::ServerStream& stream) {
    exchange.seen.method = exchange.head.method_text;
    exchange.seen.target = exchange.head.target;
    exchange.seen.size = stream.received_size();
    exchange.seen.awaits_continue = stream.awaits_continue();
    for (const http::Header& h : exchange.head.headers) {
      exchange.seen.headers.emplace_back(h.name, h.value);
    }
  }
};

}  // namespace doorward::codec::h2
