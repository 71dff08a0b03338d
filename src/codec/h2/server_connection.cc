#include "codec/h2/server_connection.h"

namespace doorward::codec::h2 {
namespace {

// How long a request may be on its way to a connection that is being drained.
constexpr Duration kGoodbyeAfter{500};
constexpr std::size_t kRunningFactor = 2;

Error ended() {
  return {ErrorKind::closed, Side::client, Retry::no, 0, {}, "the connection ended"};
}

}  // namespace

ServerConnection::ServerConnection(loop::Loop& loop, loop::ByteStream& bytes, RequestSink& sink,
                                   std::shared_ptr<const ServerSettings> settings)
    : Session(loop, bytes, Role::server, settings->session),
      sink_(sink),
      connection_settings_(std::move(settings)) {}

ServerConnection::~ServerConnection() = default;

// Windows and the number of streams stay as they were announced.
void ServerConnection::use_settings(std::shared_ptr<const ServerSettings> settings) {
  if (settings == connection_settings_) return;
  connection_settings_ = std::move(settings);
  bytes_.limit_stall({connection_settings_->send_timeout, connection_settings_->min_data_rate});
}

loop::Task<void> ServerConnection::serve(Chunk received) {
  bytes_.limit_stall({settings().send_timeout, settings().min_data_rate});
  start(settings().parse.head_bytes);
  started_ = true;
  idle_deadline_ = Deadline::after(loop_.now(), settings().header_timeout);
  arm_patience();
  if (draining_) announce_end();
  if (!received.empty()) feed(std::move(received));
  const bool in_order = co_await receive();
  if (end_reason() == "send_timeout") late_ = Late::send;
  const bool expected = said_goodbye_ || peer_leaves_;
  lose(in_order && !expected ? "protocol_error" : "", ended());
  reading_.reset();
  to_run_.clear();
  co_await streams_.close();
  co_await flushed();
  loop_.timers().disarm(patience_);
  loop_.timers().disarm(goodbye_);
  if (in_order) co_await linger();
}

void ServerConnection::cut() {
  bytes_.abort();
  lose("", Error{ErrorKind::cancelled, Side::doorward, Retry::no, 0, {}, "the connection was cut"});
}

// RFC 9113 §6.8: requests that are on their way are still served.
void ServerConnection::drain() {
  if (dead() || std::exchange(draining_, true)) return;
  if (started_) announce_end();
}

void ServerConnection::announce_end() {
  nghttp2_submit_shutdown_notice(engine());
  nghttp2_submit_ping(engine(), NGHTTP2_FLAG_NONE, nullptr);
  loop_.timers().arm(goodbye_, Deadline::after(loop_.now(), kGoodbyeAfter));
  pack_later();
}

void ServerConnection::on_ping_answered() {
  if (draining_) say_goodbye();
}

void ServerConnection::say_goodbye() {
  if (dead() || std::exchange(said_goodbye_, true)) return;
  loop_.timers().disarm(goodbye_);
  nghttp2_submit_goaway(engine(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(engine()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  pack_later();
}

void ServerConnection::on_timer(loop::Timer& timer) {
  if (&timer == &goodbye_) return say_goodbye();
  if (dead()) return;
  if (reading_ != nullptr) {
    late_ = Late::header;
    return end_with(NGHTTP2_PROTOCOL_ERROR, "header_timeout", ended());
  }
  if (channels() > 0) return;
  if (!draining_) late_ = requests_ == 0 ? Late::header : Late::idle;
  say_goodbye();
}

void ServerConnection::arm_patience() {
  Deadline deadline = Deadline::never();
  if (reading_ != nullptr) {
    deadline = head_deadline_;
  } else if (channels() == 0) {
    deadline = idle_deadline_;
  }
  if (deadline.is_never()) return loop_.timers().disarm(patience_);
  loop_.timers().arm(patience_, deadline);
}

// Streams that the client has reset may still be ending here: they count, too.
Channel* ServerConnection::on_request_begins(std::int32_t stream) {
  if (streams_.count() + to_run_.size() >= kRunningFactor * settings_.max_concurrent_streams) {
    return nullptr;
  }
  ++requests_;
  reading_ = std::make_unique<ServerStream>(*this, stream);
  return reading_.get();
}

void ServerConnection::head_begins() {
  head_deadline_ = Deadline::after(loop_.now(), settings().header_timeout);
}

void ServerConnection::head_ends(ServerStream&) {
  to_run_.push_back(std::move(reading_));
  const std::uint32_t limit = settings().requests_per_connection;
  if (limit == 0 || requests_ < limit || std::exchange(draining_, true)) return;
  announce_end();
}

void ServerConnection::after_input() {
  for (std::size_t i = 0; i < to_run_.size(); ++i) streams_.spawn(run(std::move(to_run_[i])));
  to_run_.clear();
  arm_patience();
}

loop::Task<void> ServerConnection::run(std::unique_ptr<ServerStream> stream) {
  co_await stream->answer();
}

void ServerConnection::on_quiet() {
  if (channels() == 0) {
    idle_deadline_ = Deadline::after(loop_.now(), settings().idle_timeout);
    arm_patience();
  }
  if (finished()) bytes_.cancel_recv();
}

}  // namespace doorward::codec::h2
