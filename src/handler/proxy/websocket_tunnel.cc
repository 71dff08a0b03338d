#include "handler/proxy/websocket_tunnel.h"

#include <algorithm>

namespace doorward::handler {
namespace {

using codec::websocket::Refusal;
using codec::websocket::Sender;
using observe::Metric;

// As the access log says it.
std::string_view error_code_of(WebSocketTunnel::CloseCode code) {
  switch (code) {
    case WebSocketTunnel::CloseCode::too_large:
      return "websocket_message_too_large";
    case WebSocketTunnel::CloseCode::policy_violation:
      return "websocket_too_fast";
    default:
      return "websocket_protocol_error";
  }
}

}  // namespace

WebSocketTunnel::WebSocketTunnel(loop::Loop& loop, loop::ByteStream& client,
                                 loop::ByteStream& backend, Settings settings)
    : loop_(loop),
      settings_(settings),
      to_backend_(Sender::client, client, backend, settings.rules, settings.deflate),
      to_client_(Sender::server, backend, client, settings.rules, settings.deflate) {}

loop::Task<void> WebSocketTunnel::run(Chunk client_early, Chunk backend_early) {
  std::optional<observe::RouteSeries> series = settings_.series;
  if (!series) return pass_both(std::move(client_early), std::move(backend_early));
  return run_counted(*series, std::move(client_early), std::move(backend_early));
}

loop::Task<void> WebSocketTunnel::run_counted(observe::RouteSeries series, Chunk client_early,
                                              Chunk backend_early) {
  series.raise(Metric::route_websockets_open);
  co_await pass_both(std::move(client_early), std::move(backend_early));
  series.lower(Metric::route_websockets_open);
  series.add_value(Metric::route_websockets_closed, observe::close_code_number(close_code_));
}

loop::Task<void> WebSocketTunnel::pass_both(Chunk client_early, Chunk backend_early) {
  moved_ = to_backend_.heard = to_client_.heard = loop_.now();
  to_backend_.from.limit_stall({settings_.idle, 0});
  to_client_.from.limit_stall({settings_.idle, 0});
  loop::Gate gate;
  gate.spawn(pass(to_backend_, std::move(client_early)));
  gate.spawn(pass(to_client_, std::move(backend_early)));
  co_await gate.close();
  loop_.timers().disarm(patience_);
  finish(to_client_);
  finish(to_backend_);
}

loop::Task<void> WebSocketTunnel::pass(WebSocketWay& way, Chunk bytes) {
  while (!is_over(way)) {
    const std::uint64_t messages = way.messages();
    const std::span<const iovec> parts = way.take(bytes.view(), loop_.now(), loop_.random());
    if (way.messages() != messages) count_messages(way, messages);
    if (!parts.empty()) {
      way.sending = true;
      const Result<void> sent = co_await way.to.send(parts, Deadline::never());
      way.sending = false;
      if (!sent && !closing_) co_return break_both();
      if (!sent) way.mute();
      if (!bytes.empty()) moved_ = loop_.now();
    }
    bytes = Chunk();  // no buffer is held while nothing comes
    look_after(way);
    if (way.has_to_say() || is_over(way)) continue;
    way.woken = false;
    Result<Chunk> got = co_await way.from.recv(deadline(way));
    if (!got && !goes_on(way, got.error().kind)) co_return;
    if (!got) continue;
    if (got->empty()) break;
    bytes = std::move(*got);
    way.heard = loop_.now();
    way.pinged = {};
  }
  if (!closing_) finish(way);  // a half that has ended is passed on as a half
}

void WebSocketTunnel::note_close(unsigned code) {
  if (close_code_ == kNoClose) close_code_ = code;
}

void WebSocketTunnel::count_messages(const WebSocketWay& way, std::uint64_t before) {
  if (!settings_.series) return;
  observe::RouteSeries series = *settings_.series;
  series.add_value(Metric::route_websocket_messages, &way == &to_backend_ ? 0 : 1,
                   way.messages() - before);
}

// Closing has its own limit.
Deadline WebSocketTunnel::deadline(const WebSocketWay& way) const {
  if (closing_) return Deadline::never();
  return Deadline(std::min(moved_ + settings_.idle, patience(way)));
}

// When the sender is asked for a sign of life, or given up.
TimePoint WebSocketTunnel::patience(const WebSocketWay& way) const {
  if (settings_.rules == nullptr || settings_.rules->idle_timeout == Duration(0)) {
    return TimePoint::max();
  }
  const TimePoint since = way.pinged == TimePoint{} ? way.heard : way.pinged;
  return since + settings_.rules->idle_timeout;
}

bool WebSocketTunnel::is_over(const WebSocketWay& way) const {
  return closing_ && (expired_ || (way.said_all() && way.heard_close()));
}

// Nothing was received: does the way go on?
bool WebSocketTunnel::goes_on(WebSocketWay& way, ErrorKind kind) {
  if (kind == ErrorKind::timeout) {
    on_quiet(way);
    return true;
  }
  if (kind == ErrorKind::cancelled && way.woken) return true;
  if (!closing_) break_both();  // otherwise the other side still gets its close frame
  return false;
}

void WebSocketTunnel::on_quiet(WebSocketWay& way) {
  const TimePoint now = loop_.now();
  if (closing_) return;
  if (now >= moved_ + settings_.idle) {
    if (!other(way).sending) return end_idle();
    moved_ = now;  // a slow reader: the limit on its standing still decides
  }
  if (now < patience(way)) return;
  way.pinged == TimePoint{} ? ping(way) : end_idle();
}

void WebSocketTunnel::ping(WebSocketWay& way) {
  const std::uint64_t id = loop_.random().next() | 1;
  way.pinged = loop_.now();
  way.await_pong(id);
  other(way).say_ping(id);
  wake(other(way));
}

void WebSocketTunnel::look_after(WebSocketWay& way) {
  if (way.heard_close()) note_close(way.heard_code());
  if (way.refusal() != Refusal::none && !closing_) on_refusal(way);
  const bool both_closed = to_client_.closed() && to_backend_.closed();
  if (both_closed && !closing_) on_both_closed();
  // Who broke a rule is not waited for, and who cannot be told anything is told by the end.
  const bool at_once = other(way).refusal() != Refusal::none || way.stuck();
  if (closing_ && at_once && way.said_all()) finish(way);
}

// RFC 6455 §7.1.1: then the transports end. Without rules that is left to the two, but not for
// ever.
void WebSocketTunnel::on_both_closed() {
  if (settings_.rules != nullptr) return begin_closing();
  if (patience_.is_armed()) return;
  loop_.timers().arm(patience_, Deadline::after(loop_.now(), settings_.closing));
}

void WebSocketTunnel::on_refusal(WebSocketWay& way) {
  const CloseCode code = close_code(way.refusal());
  error_code_ = error_code_of(code);
  note_close(static_cast<unsigned>(code));
  other(way).say_close(code, sentence(way.refusal()));
  way.say_close(CloseCode::going_away, "the other side broke a rule");
  begin_closing();
}

void WebSocketTunnel::end_idle() {
  if (!to_client_.knows_frames() || !to_backend_.knows_frames()) return break_both();
  error_code_ = "websocket_idle";
  close(CloseCode::going_away, "idle for too long");
}

void WebSocketTunnel::close(CloseCode code, std::string_view reason) {
  if (closing_ || !to_client_.knows_frames() || !to_backend_.knows_frames()) return;
  note_close(static_cast<unsigned>(code));
  to_client_.say_close(code, reason);
  to_backend_.say_close(code, reason);
  begin_closing();
}

void WebSocketTunnel::dismiss(std::string_view error_code, std::string_view reason) {
  if (closing_) return;
  error_code_ = error_code;
  if (!to_client_.knows_frames() || !to_backend_.knows_frames()) return break_both();
  close(CloseCode::policy_violation, reason);
}

void WebSocketTunnel::begin_closing() {
  closing_ = true;
  loop_.timers().arm(patience_, Deadline::after(loop_.now(), settings_.closing));
  wake(to_client_);
  wake(to_backend_);
}

void WebSocketTunnel::wake(WebSocketWay& way) {
  way.woken = true;
  way.from.cancel_recv();
}

void WebSocketTunnel::on_timer(loop::Timer&) {
  closing_ = expired_ = true;
  for (WebSocketWay* way : {&to_client_, &to_backend_}) {
    if (way->sending) {
      way->finished = true;
      way->to.abort();
    }
    wake(*way);
  }
}

void WebSocketTunnel::break_both() {
  broken_ = true;
  to_client_.to.abort();
  to_backend_.to.abort();
}

void WebSocketTunnel::finish(WebSocketWay& way) {
  if (broken_ || way.finished) return;
  way.finished = true;
  way.to.shutdown_send();
}

}  // namespace doorward::handler
