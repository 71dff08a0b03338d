// pump: the response to the client, piece by piece as the backend gives it and the client takes
// it. What of the body is there goes out together with the head.
#include "exchange/core.h"
#include "exchange/exchange.h"
#include "exchange/grpc.h"

namespace doorward::exchange::steps {
namespace {

Failure total_timeout() {
  return Failure(Error{ErrorKind::timeout, Side::backend, Retry::no, 0, "total_timeout",
                       "the exchange took longer than its service may"});
}

const http::HeaderList* received_trailers(Exchange& x, const codec::Piece& piece) {
  return piece.last ? x.attempt.connection->received_trailers() : nullptr;
}

// What goes out with the last piece: what the policies left of it, when there are any.
const http::HeaderList* outgoing_trailers(Exchange& x, const codec::Piece& piece) {
  if (!piece.last) return nullptr;
  return x.chain_sees_response_body() ? x.response_trailers : received_trailers(x, piece);
}

loop::Task<Result<codec::Piece>> finish_piece(Exchange& x,
                                              loop::Task<Result<codec::Piece>> reading) {
  Result<codec::Piece> piece = co_await std::move(reading);
  if (!piece && piece.error().kind == ErrorKind::timeout &&
      x.total_deadline().passed(x.core.loop().now())) {
    co_return total_timeout();
  }
  if (!piece || !x.chain_sees_response_body()) co_return piece;
  const http::HeaderList* trailers = received_trailers(x, *piece);
  co_return co_await x.run_response_body(std::move(*piece), trailers);
}

// The next piece of the response's body, after the policies that want to see it. A body that is
// always ready never waits, so the deadline of the whole is looked at here as well.
loop::Task<Result<codec::Piece>> next_piece(Exchange& x) {
  if (x.total_deadline().passed(x.core.loop().now())) return Result<codec::Piece>(total_timeout());
  auto reading = x.attempt.connection->read_body();
  if (reading.is_ready() && !x.chain_sees_response_body()) return reading;
  return finish_piece(x, std::move(reading));
}

// A failure behind the head can only be told by ending the connection; but gRPC has words for it.
loop::Task<Step> break_off(Exchange& x, const Error& error) {
  if (error.side == Side::backend && error.kind != ErrorKind::cancelled) {
    x.service->series().add(observe::Metric::service_responses_broken);
    x.service->note_refusal(error);
  }
  x.attempt.connection->abort();
  if (!x.client_stream.response_started()) {
    co_await x.stop_upload();
    x.complete_attempt();
    co_return x.reply_to(error);
  }
  x.error_code = x.code_of(error);
  if (!x.grpc || !co_await end_with_status(x, error)) x.client_stream.abort();
  co_return Step::finish;
}

loop::Task<Result<void>> send_with_trailers(Exchange& x, std::string_view first,
                                            const http::HeaderList* trailers) {
  Result<void> sent =
      co_await x.client_stream.send_response(x.response(), x.response_size, first, false);
  if (!sent) co_return sent;
  co_return co_await x.client_stream.send_body({}, true, trailers);
}

// The head, together with the body's first piece.
loop::Task<Result<void>> send_start(Exchange& x, const codec::Piece& first) {
  const http::HeaderList* trailers = outgoing_trailers(x, first);
  if (first.last && trailers == nullptr && x.response_size.kind == codec::BodySize::Kind::unknown) {
    x.response_size = codec::BodySize::known(first.chunk.size());
  }
  x.status = x.response().status;
  if (trailers != nullptr) return send_with_trailers(x, first.chunk.view(), trailers);
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
  if (sent && !piece->last) x.times.streamed = x.core.loop().now();
  while (sent && !piece->last) {
    piece = co_await next_piece(x);
    if (!piece) co_return co_await break_off(x, piece.error());
    sent = co_await x.client_stream.send_body(piece->chunk.view(), piece->last,
                                              outgoing_trailers(x, *piece));
  }
  if (!sent) co_return co_await break_off(x, sent.error());
  co_return Step::finish;
}

}  // namespace doorward::exchange::steps
