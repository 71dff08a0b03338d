// await_response: the response's head. Interim responses are passed on; a request that provably
// never reached the backend, or may be repeated, goes back for another attempt.
#include "codec/websocket/handshake.h"
#include "exchange/core.h"
#include "exchange/debug_answer.h"
#include "exchange/exchange.h"
#include "handler/proxy/tunnel.h"
#include "handler/proxy/websocket_tunnel.h"
#include "http/method.h"

namespace doorward::exchange::steps {
namespace {

bool refused_by_tls(const Error& error) {
  return error.retry == Retry::yes && error.reason.starts_with("tls_");
}

// RFC 9110 §9.2.2: a request without idempotent semantics is repeated only when it is known that
// it was not acted on: the backend said so, or its kernel has acknowledged none of it.
bool may_repeat(Exchange& x, const Error& error) {
  if (x.body_let_go() || x.upload_failed || x.client_gone) return false;
  if (refused_by_tls(error)) {  // as if it had refused to connect: others are asked
    x.tried.add(*x.attempt.endpoint);
    return x.service->has_untried(x.tried) && x.attempts < upstream::Tried::kMost;
  }
  if (error.retry == Retry::yes) return x.attempts < upstream::Tried::kMost;
  if (!x.service->config().retry.stale) return false;
  const bool dead = error.reason == "backend_ping_timeout";
  const bool ended = dead || error.kind == ErrorKind::closed || error.kind == ErrorKind::reset;
  if (!ended || !x.attempt.reused) return false;
  // A stream that the backend reset would be reset again. Each try on a connection of HTTP/1.1 uses
  // up one that was kept; shared ones have no such end.
  const upstream::Connection& backend = *x.attempt.connection;
  if (!backend.connection_ended() || !backend.nothing_received()) return false;
  if (backend.version() == http::Version::http2 && x.attempts >= upstream::Tried::kMost) {
    return false;
  }
  if (http::is_idempotent(x.request().method)) return true;
  // Where the way back is cut, what was not acknowledged may have come all the same.
  return !dead && x.attempt.connection->provably_unseen();
}

// The backend's answer is given to nobody.
void drop_answer(Exchange& x) {
  x.attempt.connection->abort();
  x.complete_attempt();
}

// The backend got the body, or took no more of it, and did not answer.
Error overdue(Exchange& x) {
  if (!x.backend_refusal) {
    return {ErrorKind::timeout,
            Side::backend,
            Retry::no,
            0,
            "first_byte_timeout",
            "the backend did not answer in time"};
  }
  Error why = *x.backend_refusal;
  if (why.kind == ErrorKind::timeout) why.reason = "backend_idle_timeout";
  return why;
}

loop::Task<Step> give_up(Exchange& x, Error error) {
  co_await x.stop_upload();
  const bool body_stalled = x.backend_refusal && x.backend_refusal->kind == ErrorKind::timeout;
  const bool same = error.kind == ErrorKind::timeout && body_stalled;
  if (same || (x.response_overdue && error.kind == ErrorKind::cancelled)) error = overdue(x);
  x.service->note_refusal(error);
  if (may_repeat(x, error)) {
    x.fail_attempt();
    x.note_repeat(error);
    x.prepare_repeat();
    co_return Step::choose_endpoint;
  }
  x.fail_attempt();
  if (x.upload_failed || x.client_gone) {
    if (x.reply_to_send != nullptr) co_return Step::reply;
    co_return x.reply_to(client_left());
  }
  if (error.kind == ErrorKind::timeout && x.total_deadline().passed(x.core.loop().now())) {
    error.reason = "total_timeout";
  }
  co_return x.reply_to(error);
}

// Its frames are known: a drain, and a policy's rules, reach them.
loop::Task<void> pass_websocket(Exchange& x, loop::ByteStream& client, Chunk client_early,
                                loop::ByteStream& backend, Chunk backend_early) {
  handler::WebSocketTunnel tunnel(x.core.loop(), client, backend,
                                  {.idle = x.service->config().timeouts.tunnel_idle,
                                   .rules = x.websocket_rules,
                                   .deflate = codec::websocket::has_deflate(x.response().headers),
                                   .series = x.core.metrics().route(x.matched->slot)});
  x.begin_websocket(tunnel);
  co_await tunnel.run(std::move(client_early), std::move(backend_early));
  x.end_websocket();
}

loop::Task<void> pass_bytes(Exchange& x) {
  Chunk client_early, backend_early;
  loop::ByteStream& client = *x.client_stream.take_transport(client_early);
  loop::ByteStream& backend = *x.attempt.connection->take_transport(backend_early);
  if (codec::websocket::is_websocket(x.response().headers)) {
    return pass_websocket(x, client, std::move(client_early), backend, std::move(backend_early));
  }
  return handler::tunnel(x.core.loop(), client, std::move(client_early), backend,
                         std::move(backend_early), x.service->config().timeouts.tunnel_idle);
}

loop::Task<Step> switch_protocols(Exchange& x) {
  const std::string_view upgrade = x.response().headers.value(http::HeaderName::upgrade);
  http::remove_hop_by_hop(x.response().headers);
  x.response().headers.add(http::HeaderName::upgrade, upgrade);
  x.add_listener_fields();
  const policy::Outcome outcome = co_await x.matched->chain.run_response(x, x.chain_state);
  if (x.matched->chain.has_response()) x.times.answered = x.core.loop().now();
  if (outcome.reply != nullptr) {
    drop_answer(x);
    co_return x.reply_with(outcome);
  }
  x.status = x.request().version == http::Version::http2 ? 200 : 101;  // RFC 8441 §5
  x.client_stream.watch_client(nullptr);
  if (x.debug != nullptr) x.debug->tell();
  const Result<void> sent =
      co_await x.client_stream.send_response(x.response(), codec::BodySize::empty(), {}, true);
  x.tunnelled = true;
  x.times.streamed = x.core.loop().now();
  if (sent) co_await pass_bytes(x);
  co_return Step::finish;
}

// To a client of HTTP/2 any 2xx says that its WebSocket is open (RFC 8441 §5).
bool opens_nothing(Exchange& x) {
  return x.upgrade && x.request().version == http::Version::http2 && x.response().status / 100 == 2;
}

bool is_interim(std::uint16_t status) { return status < 200 && status != 101; }

}  // namespace

loop::Task<Step> await_response(Exchange& x) {
  upstream::Connection& backend = *x.attempt.connection;
  Deadline deadline = x.total_deadline();
  if (x.uploads.count() == 0) {  // otherwise it is due when the body has gone out
    deadline = deadline.earlier(
        Deadline::after(x.core.loop().now(), x.service->config().timeouts.first_byte));
  }
  for (;;) {
    x.begin_response();
    // While nobody waited here who could be woken.
    if (x.upload_failed || x.client_gone || x.response_overdue) {
      co_return co_await give_up(x,
                                 Error{ErrorKind::cancelled, Side::client, Retry::no, 0, {}, {}});
    }
    Result<void> got = co_await backend.read_response(x.response(), x.arena(), deadline);
    if (!got) co_return co_await give_up(x, std::move(got.error()));
    x.let_body_go();
    if (!is_interim(x.response().status)) break;
    if (x.response().status == 100) {  // the client's 100 comes from here, when its body is read
      x.expectation.meet();
      continue;
    }
    http::remove_hop_by_hop(x.response().headers);
    if (Result<void> sent = co_await x.client_stream.send_informational(x.response()); !sent) {
      x.client_gone = true;
      co_return co_await give_up(x, std::move(sent.error()));
    }
  }
  if (opens_nothing(x)) {
    x.times.first_byte = x.core.loop().now();
    drop_answer(x);
    co_return x.reply_with(502, "backend_no_websocket",
                           "The backend answered the request for a WebSocket with a page.");
  }
  x.times.first_byte = x.core.loop().now();
  x.core.loop().timers().disarm(x.overdue);
  if (backend.switched()) co_return co_await switch_protocols(x);
  x.response_size = backend.received_size();
  http::remove_hop_by_hop(x.response().headers);
  x.add_listener_fields();
  co_return x.matched->chain.has_response() ? Step::response_policies : Step::pump;
}

}  // namespace doorward::exchange::steps
