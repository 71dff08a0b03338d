// choose_endpoint: the service's balancer says where the next attempt goes. When all connections
// are in use, or the service's names are not resolved yet, the exchange waits in its queue.
#include "exchange/core.h"
#include "exchange/deadline.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

Step attempt(Exchange& x) {
  ++x.attempts;
  x.times.asked = x.core.loop().now();
  x.service->series().begin();
  if (x.attempts > 1) x.service->series().add(observe::Metric::service_retries);
  return Step::connect;
}

// Watches the client meanwhile, so that nobody waits for one that left.
loop::Task<Result<upstream::Place>> queue_up(Exchange& x) {
  upstream::Waiter waiter(x.tried, x.want());
  x.waiter = &waiter;
  x.client_stream.watch_client(&x);
  Result<upstream::Place> place = co_await x.service->await_place(waiter, x.total_deadline());
  x.waiter = nullptr;
  x.client_stream.watch_client(nullptr);
  x.client_watched = false;
  co_return place;
}

loop::Task<Step> wait_for_place(Exchange& x) {
  Result<upstream::Place> place = fail(ErrorKind::cancelled, {});
  x.times.queued = x.core.loop().now();
  if (!x.client_gone) place = co_await queue_up(x);
  x.times.placed = x.core.loop().now();
  if (x.client_gone) {
    if (place) place->give_back();
    co_return x.reply_to(client_left());
  }
  if (!place) {
    if (x.total_deadline().passed(x.core.loop().now())) place.error().reason = "total_timeout";
    co_return x.reply_to(place.error());
  }
  x.attempt.endpoint = std::move(place->endpoint);
  x.attempt.connection = std::move(place->connection);
  x.attempt.has_room = x.attempt.connection == nullptr;
  x.attempt.alone = place->alone;
  co_return attempt(x);
}

}  // namespace

loop::Task<Step> choose_endpoint(Exchange& x) {
  if (x.total_deadline().passed(x.core.loop().now())) [[unlikely]]
    return x.reply_to(no_time_left());
  x.attempt.endpoint = x.service->choose(x.tried, x.want());
  if (!x.attempt.endpoint || x.attempt.endpoint->pool().full(x.want())) [[unlikely]]
    return wait_for_place(x);
  return attempt(x);
}

}  // namespace doorward::exchange::steps
