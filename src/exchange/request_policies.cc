// request_policies: the route's policies, in the order of the configuration.
#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

Step after(Exchange& x, policy::Outcome outcome) {
  x.times.policies = x.core.loop().now();
  return outcome.reply != nullptr ? x.reply_with(outcome) : Step::handle;
}

loop::Task<Step> wait(Exchange& x, policy::Verdict verdict) {
  co_return after(x, co_await std::move(verdict));
}

}  // namespace

loop::Task<Step> request_policies(Exchange& x) {
  policy::Verdict verdict = x.matched->chain.run_request(x, x.chain_state);
  if (verdict.is_ready()) return after(x, verdict.take());
  return wait(x, std::move(verdict));
}

}  // namespace doorward::exchange::steps
