// ServerStream: one request of a client on an HTTP/2 connection, and its response.
// Owner: the coroutine in its connection's gate that answers it. Heads, trailers and what is
// written of the response's head lie in the exchange's arena, which sink.open() gave.
#pragma once

#include <optional>

#include "codec/h2/channel.h"
#include "codec/h2/server_settings.h"
#include "codec/h2/tunnel_bytes.h"
#include "codec/request_sink.h"
#include "loop/frame_pool.h"

namespace doorward::codec::h2 {

class ServerConnection;

class ServerStream final : public codec::ServerStream, public Channel {
 public:
  ServerStream(ServerConnection& connection, std::int32_t id);
  ~ServerStream() override;
  static void* operator new(std::size_t size) { return loop::frame_allocate(size); }
  static void operator delete(void* at, std::size_t size) { loop::frame_free(at, size); }

  // The head is complete, or refused: has it answered.
  loop::Task<void> answer();

  // Stream
  BodySize received_size() const override { return websocket_ ? BodySize::empty() : size_; }
  loop::Task<Result<Piece>> read_body() override;
  bool body_ready() override { return in_.ready(); }
  const http::HeaderList* received_trailers() const override { return trailers_; }
  loop::Task<Result<void>> send_body(std::string_view bytes, bool last,
                                     const http::HeaderList* trailers) override;
  void cancel_read() override { in_.wait().wake(Woken::cancelled); }
  void cancel_write() override { out_.cancel(); }
  void abort() override;

  // ServerStream
  loop::Task<Result<void>> send_informational(const http::ResponseHead& head) override;
  loop::Task<Result<void>> send_response(const http::ResponseHead& head, BodySize size,
                                         std::string_view first, bool last) override;
  bool awaits_continue() const override { return continue_due_; }
  void watch_client(loop::PeerWatch* peer_watch) override { Channel::watch(peer_watch); }
  void probe_client() override {}  // a stream has no half-open end to be probed
  bool client_broken() const override { return is_broken(); }
  void close_after() override {}  // what is unread ends with its stream
  void retire_connection() override;
  loop::ByteStream* take_transport(Chunk& early_bytes) override;
  bool response_started() const override { return response_started_; }
  std::uint64_t bytes_received() const override { return bytes_received_; }
  std::uint64_t bytes_sent() const override { return bytes_sent_; }

  // Channel
  void on_block_begins() override;
  bool on_block_ends(bool last) override;

 private:
  void choose_body(bool last);
  void honour_priority();
  void add_websocket_key();
  bool submit_head(const http::ResponseHead& head, BodySize size, bool ends);
  void send_continue();
  loop::Task<Result<Piece>> judged(loop::Task<Result<Piece>> reading);
  Result<Piece> judge(Result<Piece> piece, TimePoint wait_began);
  loop::Task<Result<void>> settle(loop::Task<Result<void>> sending);
  Result<void> judge_send(Result<void> sent);
  const ServerSettings& settings() const;
  loop::StallLimit stall_limit() const;

  ServerConnection& connection_;
  Incoming& incoming_;
  http::HeaderList* trailers_ = nullptr;
  std::optional<TunnelBytes> tunnel_;
  Duration waited_{};  // for content, since the rate was last judged
  std::uint64_t rate_bytes_ = 0;
  bool head_done_ = false;
  bool websocket_ = false;
  bool continue_due_ = false;
  bool response_started_ = false;
  bool bodiless_ = false;  // HEAD, 204, 304: content is swallowed
  bool aborted_ = false;
};

}  // namespace doorward::codec::h2
