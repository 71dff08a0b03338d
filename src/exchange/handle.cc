// handle: what the route's handler makes of the request; for a service also the body's first piece
// and the head that the backend gets, which are the same for every attempt.
#include "exchange/core.h"
#include "exchange/deadline.h"
#include "exchange/exchange.h"
#include "exchange/grpc.h"
#include "handler/proxy/forwarded.h"
#include "handler/proxy/max_forwards.h"

namespace doorward::exchange::steps {
namespace {

// A small body that came with the head is copied, so that it can be sent again and no receive
// buffer is held while the backend thinks.
constexpr std::size_t kKeptBody = 16 * 1024;

void prepare_head(Exchange& x) {
  http::HeaderList& headers = x.request().headers;
  Arena& arena = x.arena();
  if (!x.expectation.passed_on()) headers.remove(http::HeaderName::expect);
  ask_for_trailers(x);
  const ListenerConfig& listener = *x.listener.config;
  const handler::ForwardedFacts facts{.peer_ip = x.connection.peer_ip,
                                      .host = x.authority(),
                                      .scheme = x.connection.scheme,
                                      .trusted = x.peer_trusted};
  const Forwarded how = listener.forwarded;
  if (how == Forwarded::x_forwarded || how == Forwarded::both) {
    handler::add_x_forwarded(headers, facts, arena);
  }
  if (how == Forwarded::rfc7239 || how == Forwarded::both) {
    handler::add_forwarded(headers, facts, arena);
  }
  if (listener.via) handler::add_via(headers, x.request().version, arena);
}

loop::Task<Step> take_body(Exchange& x) {
  Result<codec::Piece> piece = co_await x.client_stream.read_body();
  if (!piece) co_return x.reply_to(piece.error());
  if (const policy::Outcome refused = co_await x.check_request_piece(*piece); refused.reply) {
    co_return x.reply_with(refused);
  }
  if (x.matched->chain.request_body_need() != policy::BodyNeed::none) {
    x.times.policies = x.core.loop().now();
  }
  x.body_in_hand = piece->last;
  x.first_piece = std::move(piece->chunk);
  if (x.body_in_hand && x.first_piece.size() <= kKeptBody) {
    x.first_piece = Chunk(x.arena().copy(x.first_piece.view()));
  }
  co_return Step::choose_endpoint;
}

Step to_service(Exchange& x, const ServiceTarget& target) {
  x.service = x.snapshot.services()[target.index];
  const upstream::ServiceTimeouts& timeouts = x.service->config().timeouts;
  if (timeouts.total.count() != 0) x.end_by(Deadline(x.times.begun + timeouts.total));
  if (!timeouts.deadline_header.empty() && !take_deadline_header(x)) return Step::reply;
  prepare_head(x);
  return Step::choose_endpoint;
}

}  // namespace

loop::Task<Step> handle(Exchange& x) {
  if (const auto* fixed = std::get_if<handler::FixedResponse>(&x.matched->handler)) {
    return x.reply_with({fixed->reply(x)});
  }
  if (const auto* redirect = std::get_if<handler::Redirect>(&x.matched->handler)) {
    return x.reply_with({redirect->reply(x)});
  }
  if (handler::count_forward(x.request(), x.arena()) == handler::MaxForwards::answer) {
    return x.reply_with({handler::last_hop(x.request(), x.arena())});
  }
  const bool has_body = x.request_size.may_have_bytes();
  const bool body_ready = has_body && x.client_stream.body_ready();
  if (has_body && !body_ready && x.client_stream.awaits_continue()) x.expectation.pass_on();
  const Step next = to_service(x, std::get<ServiceTarget>(x.matched->handler));
  if (!has_body || next == Step::reply) return next;
  x.body_in_hand = false;
  if (!body_ready) return next;
  return take_body(x);
}

}  // namespace doorward::exchange::steps
