// response_policies: the route's policies on the response, last one first.
#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

// A policy that answers instead: the backend's response is dropped.
Step after(Exchange& x, policy::Outcome outcome) {
  x.times.answered = x.core.loop().now();
  return outcome.reply != nullptr ? x.reply_with(outcome) : Step::pump;
}

loop::Task<Step> wait(Exchange& x, policy::Verdict verdict) {
  co_return after(x, co_await std::move(verdict));
}

}  // namespace

loop::Task<Step> response_policies(Exchange& x) {
  policy::Verdict verdict = x.matched->chain.run_response(x, x.chain_state);
  if (verdict.is_ready()) return after(x, verdict.take());
  return wait(x, std::move(verdict));
}

}  // namespace doorward::exchange::steps
