// send_request: the head and what is there of the body in one send; the rest is uploaded by a
// task beside, so that a response may come early.
#include "exchange/core.h"
#include "exchange/deadline.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

// The response has begun, or there will be none: nobody wants the rest of the body. While an
// attempt is given up, what is found in it still counts.
bool is_over(const Exchange& x) { return x.upload_stopping && x.body_let_go(); }

// What ends an upload early wakes whoever waits for the response.
void stop_exchange(Exchange& x, policy::Outcome outcome) {
  x.reply_to_send = outcome.reply;
  x.upload_failed = true;
  x.attempt.connection->cancel_read();
}

// False when the backend answers without the body.
loop::Task<bool> await_continue(Exchange& x) {
  x.client_stream.watch_client(&x);
  const bool wanted = co_await x.expectation.wait();
  x.client_stream.watch_client(nullptr);
  co_return wanted && !x.client_gone;
}

// A cancelled read has lost nothing of the body.
void end_without(Exchange& x, const Error& error) {
  if (error.kind == ErrorKind::cancelled || is_over(x)) return;
  x.reply_to(error);
  x.client_gone = x.reply_to_send == nullptr;
  stop_exchange(x, {x.reply_to_send});
}

loop::Task<Result<void>> send_piece(Exchange& x, std::string_view bytes, bool last) {
  const http::HeaderList* trailers = last ? x.client_stream.received_trailers() : nullptr;
  return x.attempt.connection->send_body(bytes, last, trailers);
}

// What an earlier attempt has sent.
loop::Task<Result<void>> send_kept(Exchange& x) {
  std::string kept = x.take_kept_body();
  Result<void> sent = co_await send_piece(x, kept, x.kept_all());
  x.put_back(std::move(kept));
  co_return sent;
}

loop::Task<void> upload(Exchange& x) {
  if (x.expectation.passed_on() && !co_await await_continue(x)) co_return;
  bool last = x.kept_all();
  Result<void> sent;
  if (x.kept_any()) sent = co_await send_kept(x);
  while (sent && !last && !x.upload_stopping) {
    Result<codec::Piece> piece = co_await x.client_stream.read_body();
    if (!piece) co_return end_without(x, piece.error());
    if (is_over(x)) co_return;
    const policy::Outcome refused = co_await x.check_request_piece(*piece);
    if (is_over(x)) co_return;
    if (refused.reply != nullptr) co_return stop_exchange(x, refused);
    x.keep_for_repeat(*piece);
    if (x.upload_stopping) co_return;
    last = piece->last;
    sent = co_await send_piece(x, piece->chunk.view(), last);
  }
  if (x.upload_stopping) co_return;
  const bool complete = sent.has_value();
  x.end_upload(std::move(sent));
  if (!complete) co_return;
  x.client_watched = true;
  x.client_stream.watch_client(&x);
}

void choose_host(Exchange& x) {
  const std::string& rule = x.service->config().host;
  http::HeaderList& headers = x.request().headers;
  if (rule == "endpoint") {
    headers.set(http::HeaderName::host, x.attempt.endpoint->authority());
  } else if (rule != "preserve") {
    headers.set(http::HeaderName::host, rule);
  } else if (!headers.has(http::HeaderName::host)) {
    headers.set(http::HeaderName::host, x.authority().empty()
                                            ? std::string_view(x.attempt.endpoint->authority())
                                            : x.authority());
  }
}

// Of a body that came whole, and with trailers; unknown length lets HTTP/1.1 carry them.
const http::HeaderList* trailers_in_hand(const Exchange& x) {
  const bool whole = x.body_in_hand && x.request_size.may_have_bytes();
  return whole ? x.client_stream.received_trailers() : nullptr;
}

loop::Task<Result<void>> send_with_trailers(Exchange& x, const http::HeaderList& trailers) {
  upstream::Connection& backend = *x.attempt.connection;
  Result<void> sent = co_await backend.send_request(x.request(), codec::BodySize::unknown(),
                                                    x.first_piece.view(), false);
  if (sent) sent = co_await backend.send_body({}, true, &trailers);
  co_return sent;
}

loop::Task<Result<void>> send(Exchange& x) {
  if (const http::HeaderList* trailers = trailers_in_hand(x)) {
    return send_with_trailers(x, *trailers);
  }
  return x.attempt.connection->send_request(x.request(), x.outgoing_size(), x.first_piece.view(),
                                            x.body_in_hand);
}

}  // namespace

loop::Task<Step> send_request(Exchange& x) {
  choose_host(x);
  if (!pass_on_deadline(x)) {
    x.abandon_attempt();
    co_return x.reply_to(no_time_left());
  }
  upstream::Connection& backend = *x.attempt.connection;
  if (const std::string_view target = x.backend_target(); target != x.request().target) {
    backend.set_target(target);
  }
  if (!x.client_watched && x.body_in_hand) {
    x.client_watched = true;
    x.client_stream.watch_client(&x);
  }
  if (x.client_gone) {
    x.abandon_attempt();
    co_return x.reply_to(client_left());
  }
  const Result<void> sent = co_await send(x);
  x.times.sent = x.core.loop().now();
  // A failed send is judged together with what the backend may have answered before.
  if (sent && !x.body_in_hand) x.uploads.spawn(upload(x));
  co_return Step::await_response;
}

}  // namespace doorward::exchange::steps
