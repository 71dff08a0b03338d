#include "upstream/discovery.h"

#include <algorithm>

namespace doorward::upstream {
namespace {

constexpr Duration kQueryTime{10'000};
constexpr Duration kLeastTtl{1'000};
constexpr Duration kMostTtl{24 * 3'600'000};
// After a failure: doubled with each further one.
constexpr Duration kFirstRetry{1'000};
constexpr Duration kLastRetry{10'000};
// Names of /etc/hosts have no TTL.
constexpr Duration kWithoutTtl{5'000};
constexpr std::string_view kWayOut =
    "check the name in the endpoint, and the name servers (/etc/resolv.conf); it is asked for "
    "again "
    "by itself";

void keep_each_once(std::vector<loop::Address>& addresses) {
  auto end = addresses.begin();
  for (const loop::Address& address : addresses) {
    if (std::find(addresses.begin(), end, address) == end) *end++ = address;
  }
  addresses.erase(end, addresses.end());
}

}  // namespace

Discovery::Discovery(const Tools& tools, const EndpointConfig& endpoint, const std::string& service,
                     Sink& sink)
    : tools_(tools), endpoint_(endpoint), service_(service), sink_(sink) {}

loop::Task<Result<loop::Resolved>> Discovery::look_up() {
  if (endpoint_.unix_path.empty()) {
    return tools_.resolver.resolve(endpoint_.host, endpoint_.port,
                                   Deadline::after(tools_.loop.now(), kQueryTime));
  }
  Result<loop::Address> parsed = loop::Address::parse("unix:" + endpoint_.unix_path);
  if (!parsed) return Result<loop::Resolved>(Failure(std::move(parsed.error())));
  return Result<loop::Resolved>(loop::Resolved{{*parsed}, Duration::max()});
}

loop::Task<void> Discovery::resolve() {
  Result<loop::Resolved> resolved = co_await look_up();
  if (closed_) co_return;
  answered_ = true;
  if (resolved) {
    accept(std::move(*resolved));
  } else {
    keep_old(resolved.error());
  }
}

void Discovery::accept(loop::Resolved resolved) {
  keep_each_once(resolved.addresses);
  known_ = resolved.addresses.size();
  retry_in_ = Duration(0);
  if (resolved.ttl != Duration::max()) {
    const Duration ttl = resolved.ttl == Duration(0) ? kWithoutTtl : resolved.ttl;
    tools_.loop.timers().arm(
        again_, Deadline::after(tools_.loop.now(), std::clamp(ttl, kLeastTtl, kMostTtl)));
  }
  if (std::exchange(failing_, false)) {
    tools_.events.info("name_resolved",
                       {{"service", service_}, {"endpoint", endpoint_.url}, {"addresses", known_}});
  }
  sink_.on_addresses(*this, resolved.addresses);
}

void Discovery::keep_old(const Error& why) {
  retry_in_ = std::clamp(retry_in_ * 2, kFirstRetry, kLastRetry);
  tools_.loop.timers().arm(again_, Deadline::after(tools_.loop.now(), retry_in_));
  if (!std::exchange(failing_, true)) {
    tools_.events.warning("name_unresolved", {{"service", service_},
                                              {"endpoint", endpoint_.url},
                                              {"error", why.cause},
                                              {"addresses_kept", known_},
                                              {"hint", kWayOut}});
  }
  if (known_ == 0) sink_.on_unresolved(*this, why);
}

void Discovery::on_timer(loop::Timer&) { gate_.spawn(resolve()); }

loop::Task<void> Discovery::close() {
  closed_ = true;
  tools_.loop.timers().disarm(again_);
  co_await gate_.close();
}

}  // namespace doorward::upstream
