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

loop::Task<Result<codec::Piece>> finish_piece(Exchange& x,
                                              loop::Task<Result<codec::Piece>> reading) {
  Result<codec::Piece> piece = co_await std::move(reading);
  if (!piece && piece.error().kind == ErrorKind::timeout &&
      x.total_deadline().passed(x.core.loop().now())) {
    co_return total_timeout();
  }
  if (!piece || !x.chain_sees_response_body()) co_return piece;
  co_return co_await x.run_response_body(std::move(*piece));
}

// The next piece of the response's body, after the policies that want to see it. A body that is
// always ready never waits, so the deadline of the whole is looked at here as well.
loop::Task<Result<codec::Piece>> next_piece(Exchange& x) {
  if (x.total_deadline().passed(x.core.loop().now())) return Result<codec::Piece>(total_timeout());
  auto reading = x.attempt.connection->read_body();
  if (reading.is_ready() && !x.chain_sees_response_body()) return reading;
  return finish_piece(x, std::move(reading));
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

loop::Task<Result<void>> send_with_trailers(Exchange& x, std::string_view first) {
  Result<void> sent =
      co_await x.client_stream.send_response(x.response(), x.response_size, first, false);
  if (!sent) co_return sent;
  co_return co_await x.client_stream.send_body({}, true, x.attempt.connection->received_trailers());
}

// The head, together with the body's first piece.
loop::Task<Result<void>> send_start(Exchange& x, const codec::Piece& first) {
  const bool trailers = trailers_follow(x, first);
  if (first.last && !trailers && x.response_size.kind == codec::BodySize::Kind::unknown) {
    x.response_size = codec::BodySize::known(first.chunk.size());
  }
  x.status = x.response().status;
  if (trailers) return send_with_trailers(x, first.chunk.view());
  return x.client_stream.send_response(x.response(), x.response_size, first.chunk.view(),
                                       first.last);
}

}  // namespace

loop::Task<Step> pump(Exchange& x) {
  http::HeaderList& headers = x.response().headers;
  if (!headers.has(http::HeaderName::date)) headers.add(http::HeaderName::date, x.core.date());
  Result<codec::Piece> piece = codec::Piece{Chunk(), !x.response_size.may_have_bytes(), false};
  if (!piece->last && x.attempt.connection->body_ready()) piece = co_await next_piece(x);
  if (!piece) co_return co_await break_off(x, piece.error());
  Result<void> sent = co_await send_start(x, *piece);
  while (sent && !piece->last) {
    piece = co_await next_piece(x);
    if (!piece) co_return co_await break_off(x, piece.error());
    const http::HeaderList* trailers =
        piece->last ? x.attempt.connection->received_trailers() : nullptr;
    sent = co_await x.client_stream.send_body(piece->chunk.view(), piece->last, trailers);
  }
  if (!sent) co_return co_await break_off(x, sent.error());
  co_return Step::finish;
}

}  // namespace doorward::exchange::steps
