// match_route: the first route, in the documented order, whose predicates hold.
#include "exchange/core.h"
#include "exchange/debug_answer.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

// RFC 9110 §15.5.6: a 405 says which methods there are.
Step method_not_allowed(Exchange& x) {
  const policy::Outcome outcome =
      x.reply(405, "method_not_allowed", "No route takes this method on this path.");
  outcome.reply->headers = x.arena().make<http::ReplyHeader>(http::ReplyHeader{
      "allow", x.arena().copy(x.snapshot->table->allow(x.match.allowed)), nullptr});
  return x.reply_with(outcome);
}

}  // namespace

loop::Task<Step> match_route(Exchange& x) {
  route::RouteRequest request;
  request.host = x.host();
  request.path = x.path();
  request.query = x.query();
  request.method = x.request().method;
  request.method_text = x.request().method_text;
  request.headers = &x.request().headers;
  x.client_address.ip_bytes(request.client_ip);
  request.tls = &x.connection.told();
  x.match = x.snapshot->table->match(request);
  if (!x.match.matched()) {
    if (x.debug != nullptr) x.debug->on_no_route(*x.snapshot->table, request);
    if (x.match.why == route::RouteMatch::Why::no_method) return method_not_allowed(x);
    return x.reply_with(404, "no_route", "No route matches this request.");
  }
  x.matched = &x.snapshot->routes[x.match.value];
  x.core.metrics().route(x.matched->slot).begin();
  x.matched->chain.prepare(x.chain_state, x.arena());
  return x.matched->chain.has_request() ? Step::request_policies : Step::handle;
}

}  // namespace doorward::exchange::steps
