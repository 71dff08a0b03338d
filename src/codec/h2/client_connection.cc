#include "codec/h2/client_connection.h"

#include <algorithm>

#include "base/check.h"

namespace doorward::codec::h2 {

ClientConnection::ClientConnection(loop::Loop& loop, std::unique_ptr<loop::ByteStream> bytes,
                                   const ClientSettings& settings, ClientOwner& owner)
    : Session(loop, *bytes, Role::client, settings.session),
      transport_(std::move(bytes)),
      client_settings_(settings),
      owner_(owner) {
  bytes_.limit_stall({settings.idle_timeout, 0});
  start(settings.parse.head_bytes);
}

ClientConnection::~ClientConnection() { DOORWARD_CHECK(open_ == 0); }

loop::Task<void> ClientConnection::serve() {
  const bool in_order = co_await receive();
  const bool expected = going_away_ || ending_;
  end();
  const bool broken = in_order && !expected;
  lose(broken ? "protocol_error" : "",
       Error{in_order ? ErrorKind::protocol : ErrorKind::closed,
             Side::backend,
             Retry::no,
             0,
             {},
             broken ? broken_rule() : "the backend ended the connection"});
  while (open_ > 0) co_await all_gone_.until(Deadline::never());
  co_await flushed();
  loop_.timers().disarm(keep_alive_);
  if (in_order) bytes_.shutdown_send();
}

bool ClientConnection::room() const {
  if (dead() || going_away_ || ending_) return false;
  const std::uint32_t theirs =
      nghttp2_session_get_remote_settings(engine(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return open_ < std::min(theirs, settings_.max_concurrent_streams) &&
         nghttp2_session_check_request_allowed(engine()) != 0;
}

std::unique_ptr<ClientStream> ClientConnection::open() {
  if (!room()) return nullptr;
  auto stream = std::make_unique<ClientStream>(*this);
  had_room_ = room();
  return stream;
}

loop::Task<void> ClientConnection::settle(Wait& wait, Deadline deadline) {
  if (settled_ || dead()) co_return;
  settling_.push_back(&wait);
  co_await wait.until(deadline);
  std::erase(settling_, &wait);
}

void ClientConnection::on_peer_settings() {
  settled_ = true;
  for (Wait* wait : settling_) wait->wake();
}

bool ClientConnection::takes_websocket() const {
  return nghttp2_session_get_remote_settings(engine(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) ==
         1;
}

void ClientConnection::stream_ended() {
  --open_;
  if (open_ == 0) {
    loop_.timers().disarm(keep_alive_);
    ping_out_ = false;
    all_gone_.wake();
    if (ending_ && !dead()) pack_later();
  }
  tell_room();
}

void ClientConnection::tell_room() {
  const bool now = room();
  const bool before = std::exchange(had_room_, now);
  if (now && !before) owner_.on_room(*this);
}

// A frame begins with three bytes of length, of which no backend's first SETTINGS needs the first.
// TLS begins with the type of a record, an alert or a handshake, and its major version.
void ClientConnection::on_first_bytes(std::string_view bytes) {
  const auto wrong = [this](std::string_view reason, std::string_view text) {
    end_telling(NGHTTP2_PROTOCOL_ERROR, reason,
                Error{ErrorKind::protocol, Side::backend, Retry::no, 0, reason, std::string(text)});
  };
  if (bytes.starts_with("HTTP/")) {
    return wrong("http1_spoken", "the backend speaks HTTP/1.1 where HTTP/2 is configured");
  }
  if (bytes.starts_with("\x15\x03") || bytes.starts_with("\x16\x03")) {
    wrong("tls_spoken", "the backend speaks TLS where cleartext is configured");
  }
}

void ClientConnection::close() {
  if (dead() || ending_) return;
  nghttp2_submit_goaway(engine(), NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  pack_later();
  end();
}

void ClientConnection::cut() {
  bytes_.abort();
  lose("", Error{ErrorKind::cancelled, Side::doorward, Retry::no, 0, {}, "the connection was cut"});
}

void ClientConnection::end() {
  if (!std::exchange(ending_, true)) owner_.on_end(*this);
}

void ClientConnection::after_input() {
  heard_ = loop_.now();
  if (going_away_) end();
  tell_room();
}

void ClientConnection::on_quiet() {
  if (dead()) {
    end();
    for (Wait* wait : settling_) wait->wake();
  }
  if (finished()) bytes_.cancel_recv();
}

// A PING costs nothing while other bytes come: the timer moves along with them. A connection on
// which nothing has come for long may have died meanwhile: the first request takes a PING along.
void ClientConnection::watch_answer() {
  if (client_settings_.ping_every == Duration(0) || keep_alive_.is_armed()) return;
  received_before_ = bytes_.received();
  if (settled_ && loop_.now() - heard_ >= client_settings_.ping_every) return ping();
  loop_.timers().arm(keep_alive_, Deadline::after(loop_.now(), client_settings_.ping_every));
}

void ClientConnection::ping() {
  ping_out_ = true;
  nghttp2_submit_ping(engine(), NGHTTP2_FLAG_NONE, nullptr);
  pack_later();
  loop_.timers().arm(keep_alive_, Deadline::after(loop_.now(), client_settings_.ping_timeout));
}

void ClientConnection::on_timer(loop::Timer&) {
  if (dead() || open_ == 0) return;
  if (bytes_.received() != received_before_) {
    ping_out_ = false;
    return watch_answer();
  }
  if (ping_out_) {
    bytes_.abort();
    return lose("ping_timeout",
                Error{ErrorKind::timeout, Side::backend, Retry::no, 0, "backend_ping_timeout",
                      "the backend does not answer a PING"});
  }
  ping();
}

}  // namespace doorward::codec::h2
