// pump: the response to the client, piece by piece as the backend gives it and the client takes
// it. What of the body is there goes out together with the head.
#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

Failure total_timeout() {
  return Failure(Error{ErrorKind::timeout, Side::backend, Retry::no, 0, "total_timeout",
                       "the exchange took longer than its service may"});
}

// The next piece of the response's body, after the policies that want to see it. A body that is
// always ready never waits, so the deadline of the whole is looked at here as well.
loop::Task<Result<codec::Piece>> next_piece(Exchange& x) {
  if (x.total_deadline().passed(x.core.loop().now())) co_return total_timeout();
  Result<codec::Piece> piece = co_await x.attempt.connection->read_body();
  if (!piece && piece.error().kind == ErrorKind::timeout &&
      x.total_deadline().passed(x.core.loop().now())) {
    co_return total_timeout();
  }
  if (!piece || !x.chain_sees_response_body()) co_return piece;
  co_return co_await x.run_response_body(std::move(*piece));
}

// A failure behind the head can only be told by ending the connection.
loop::Task<Step> break_off(Exchange& x, const Error& error) {
  x.attempt.connection->abort();
  if (!x.client_stream.response_started()) {
    co_await x.stop_upload();
    x.service->series().record(0, 0, 0, 0);
    x.end_attempt();
    co_return x.reply_to(error);
  }
  x.error_code = x.code_of(error);
  x.client_stream.abort();
  co_return Step::finish;
}

bool trailers_follow(Exchange& x, const codec::Piece& piece) {
  return piece.last && x.attempt.connection->received_trailers() != nullptr;
}

loop::Task<Result<void>> send_start(Exchange& x, bool& last) {
  codec::Piece piece;
  if (!x.response_size.may_have_bytes()) {
    piece.last = true;
  } else if (x.attempt.connection->body_ready()) {
    Result<codec::Piece> first = co_await next_piece(x);
    if (!first) co_return Failure(std::move(first.error()));
    piece = std::move(*first);
  }
  const bool trailers = trailers_follow(x, piece);
  last = piece.last;
  if (last && !trailers && x.response_size.kind == codec::BodySize::Kind::unknown) {
    x.response_size = codec::BodySize::known(piece.chunk.size());
  }
  x.status = x.response().status;
  Result<void> sent = co_await x.client_stream.send_response(
      x.response(), x.response_size, piece.chunk.view(), piece.last && !trailers);
  if (!sent || !trailers) co_return sent;
  co_return co_await x.client_stream.send_body({}, true, x.attempt.connection->received_trailers());
}

}  // namespace

loop::Task<Step> pump(Exchange& x) {
  http::HeaderList& headers = x.response().headers;
  if (!headers.has(http::HeaderName::date)) headers.add(http::HeaderName::date, x.core.date());
  bool last = false;
  Result<void> sent = co_await send_start(x, last);
  while (sent && !last) {
    Result<codec::Piece> piece = co_await next_piece(x);
    if (!piece) co_return co_await break_off(x, piece.error());
    last = piece->last;
    const http::HeaderList* trailers = last ? x.attempt.connection->received_trailers() : nullptr;
    sent = co_await x.client_stream.send_body(piece->chunk.view(), last, trailers);
  }
  if (!sent) co_return co_await break_off(x, sent.error());
  co_return Step::finish;
}

}  // namespace doorward::exchange::steps
