// choose_endpoint: the service's balancer says where the next attempt goes.
#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {

loop::Task<Step> choose_endpoint(Exchange& x) {
  x.attempt.endpoint = x.service->choose(x.tried);
  if (x.attempt.endpoint == nullptr) {
    return x.reply_with(503, "no_endpoint", "The service has no endpoint to ask.");
  }
  ++x.attempts;
  if (x.attempts > 1) x.service->series().add(observe::Metric::service_retries);
  return Step::connect;
}

}  // namespace doorward::exchange::steps
