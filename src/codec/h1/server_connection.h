// ServerConnection: an HTTP/1.x connection of a client. Reads requests one after the other
// (pipelined ones wait in order), hands each to the RequestSink, and keeps the connection or ends
// it by RFC 9112 §9. As ServerStream it is the one request that is on its way now.
//
// Owner: the coroutine that runs serve(). While it is idle it holds no exchange and no buffer.
#pragma once

#include <memory>

#include "base/units.h"
#include "codec/h1/receiver.h"
#include "codec/h1/sender.h"
#include "codec/request_sink.h"
#include "codec/stream.h"
#include "loop/loop.h"

namespace doorward::codec::h1 {

// What a listener's settings say of its connections; shared by all of them.
struct ServerSettings {
  ParseLimits parse;
  std::uint32_t requests_per_connection = 0;  // 0: no limit
  Duration header_timeout{10'000};
  Duration body_timeout{30'000};
  Duration idle_timeout{75'000};
  Duration send_timeout{30'000};
  std::uint64_t min_data_rate = 100;  // bytes a second, over kRateWindow; 0: no limit
};

class ServerConnection final : public ServerStream {
 public:
  // The references outlive the connection; `settings` may be replaced between requests.
  ServerConnection(loop::Loop& loop, loop::ByteStream& bytes, RequestSink& sink,
                   std::shared_ptr<const ServerSettings> settings);

  // Runs until the connection has ended. The ByteStream may be destroyed afterwards. `received`:
  // what came of it already.
  loop::Task<void> serve(Chunk received = {});
  // No further request: an idle connection ends after a moment, a busy one after its response.
  void drain();
  bool idle() const { return idle_; }
  Late late() const { return late_; }
  void use_settings(std::shared_ptr<const ServerSettings> settings);

  // Stream
  BodySize received_size() const override { return receiver_.size(); }
  loop::Task<Result<Piece>> read_body() override;
  bool body_ready() override { return receiver_.piece_ready(); }
  const http::HeaderList* received_trailers() const override { return receiver_.trailers(); }
  loop::Task<Result<void>> send_body(std::string_view bytes, bool last,
                                     const http::HeaderList* trailers) override;
  void cancel_read() override;
  void cancel_write() override { bytes_.cancel_send(); }
  void abort() override;

  // ServerStream
  loop::Task<Result<void>> send_informational(const http::ResponseHead& head) override;
  loop::Task<Result<void>> send_response(const http::ResponseHead& head, BodySize size,
                                         std::string_view first, bool last) override;
  bool awaits_continue() const override { return continue_due_; }
  void watch_client(loop::PeerWatch* watch) override { bytes_.watch_peer(watch); }
  void probe_client() override;
  bool client_broken() const override { return bytes_.broken(); }
  void close_after() override { keep_alive_ = false; }
  void retire_connection() override { keep_alive_ = false; }
  loop::ByteStream* take_transport(Chunk& early_bytes) override;
  bool response_started() const override { return response_started_; }
  std::uint64_t bytes_received() const override { return bytes_.received() - received_before_; }
  std::uint64_t bytes_sent() const override { return bytes_.sent() - sent_before_; }

  // What the parser found out about the request; valid while it runs.
  const RequestParser& parser() const { return parser_; }

 private:
  enum class Next : std::uint8_t { go_on, end };
  loop::Task<Next> one_request();
  loop::Task<Result<Progress>> read_head(Incoming& incoming);
  loop::Task<void> refuse(Incoming& incoming, const Result<Progress>& why);
  loop::Task<Next> after_response();
  loop::Task<Next> end_or_go_on();
  bool can_skip_body() const;
  loop::Task<bool> skip_body();
  loop::Task<void> linger();
  void begin_request();
  Result<Piece> judge(Result<Piece> piece, TimePoint wait_began);
  loop::Task<Result<void>> send_continue();
  loop::Task<Result<void>> send_interim(std::span<const iovec> parts);
  // Whatever goes out waits for an interim response on its way: one send at a time. The other side
  // has that one in flight, so one waits at most.
  auto interim_sent() {
    struct Awaiter {
      ServerConnection& connection;
      bool await_ready() const { return !connection.interim_in_flight_; }
      void await_suspend(std::coroutine_handle<> waiter) { connection.after_interim_ = waiter; }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }
  HeadOptions choose_framing(const http::ResponseHead& head, BodySize size);
  void apply_settings();
  bool ends_by_choice() const;
  bool is_dripping(TimePoint began) const;
  Result<void> settle(Result<void> sent, bool last);

  loop::Loop& loop_;
  loop::ByteStream& bytes_;
  RequestSink& sink_;
  std::shared_ptr<const ServerSettings> settings_;
  Receiver receiver_;
  Sender sender_;
  RequestParser parser_;
  Incoming* incoming_ = nullptr;

  Duration waited_{};  // for body bytes, since the rate was last judged
  std::uint64_t rate_bytes_ = 0;
  std::uint64_t received_before_ = 0;
  std::uint64_t sent_before_ = 0;
  std::uint32_t requests_ = 0;
  Late late_ = Late::no;
  bool idle_ = false;
  bool draining_ = false;
  bool aborted_ = false;
  bool keep_alive_ = true;
  bool tunnel_ = false;
  bool response_started_ = false;
  bool response_done_ = false;
  bool continue_due_ = false;  // the client waits for 100
  bool continuing_ = false;    // read_body() sends it
  bool read_cancelled_ = false;
  bool interim_in_flight_ = false;
  std::coroutine_handle<> after_interim_;
  bool bodiless_ = false;  // HEAD, 204, 304: bytes of a body are swallowed
};

}  // namespace doorward::codec::h1
