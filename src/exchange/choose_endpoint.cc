// choose_endpoint: the service's balancer says where the next attempt goes.
#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

Step attempt(Exchange& x) {
  ++x.attempts;
  if (x.attempts > 1) x.service->series().add(observe::Metric::service_retries);
  return Step::connect;
}

// Watches the client meanwhile, so that nobody waits for one that left.
loop::Task<Step> wait_for_endpoint(Exchange& x) {
  if (x.client_gone) co_return x.reply_to(client_left());
  upstream::Waiter waiter;
  x.waiter = &waiter;
  x.client_stream.watch_client(&x);
  Result<upstream::EndpointRef> got =
      co_await x.service->await_endpoint(waiter, x.total_deadline());
  x.waiter = nullptr;
  x.client_stream.watch_client(nullptr);
  x.client_watched = false;
  if (x.client_gone) co_return x.reply_to(client_left());
  if (!got) co_return x.reply_to(got.error());
  x.attempt.endpoint = std::move(*got);
  co_return attempt(x);
}

}  // namespace

loop::Task<Step> choose_endpoint(Exchange& x) {
  x.attempt.endpoint = x.service->choose(x.tried);
  if (!x.attempt.endpoint) return wait_for_endpoint(x);
  return attempt(x);
}

}  // namespace doorward::exchange::steps
