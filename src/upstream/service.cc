#include "upstream/service.h"

namespace doorward::upstream {

Service::Service(loop::Loop& loop, loop::Resolver& resolver,
                 std::shared_ptr<const ServiceConfig> config, observe::ServiceSeries series)
    : loop_(loop), config_(std::move(config)), series_(series) {
  settings_.parse.head_bytes = static_cast<std::uint32_t>(config_->limits.header_bytes.count);
  settings_.parse.header_count = config_->limits.header_count;
  settings_.parse.line_length = settings_.parse.head_bytes;
  settings_.idle_timeout = config_->timeouts.idle;
  for (const EndpointConfig& endpoint : config_->endpoints) {
    endpoints_.push_back({std::make_unique<Endpoint>(loop, resolver, endpoint, *config_, settings_),
                          endpoint.weight});
  }
}

Endpoint* Service::choose(std::uint64_t tried) {
  if (endpoints_.size() == 1) [[likely]]
    return (tried & 1) == 0 && endpoints_[0].weight > 0 ? endpoints_[0].endpoint.get() : nullptr;
  Endpoint* endpoint = best(tried, false);
  return endpoint != nullptr ? endpoint : best(tried, true);
}

// Smooth weighted round robin, as nginx does it: every turn each candidate gains its weight, the
// richest is taken and pays the sum. Spreads heavy endpoints evenly over a round.
Endpoint* Service::best(std::uint64_t tried, bool failing_too) {
  Weighted* richest = nullptr;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    Weighted& candidate = endpoints_[i];
    if (i < 64 && (tried >> i & 1) != 0) continue;
    if (candidate.weight == 0) continue;
    if (!failing_too && candidate.endpoint->failing(loop_.now())) continue;
    candidate.current += candidate.weight;
    sum += candidate.weight;
    if (richest == nullptr || candidate.current > richest->current) richest = &candidate;
  }
  if (richest == nullptr) return nullptr;
  richest->current -= sum;
  return richest->endpoint.get();
}

std::uint64_t Service::bit_of(const Endpoint& endpoint) const {
  for (std::size_t i = 0; i < endpoints_.size() && i < 64; ++i) {
    if (endpoints_[i].endpoint.get() == &endpoint) return std::uint64_t{1} << i;
  }
  return 0;
}

loop::Task<void> Service::close() {
  for (Weighted& weighted : endpoints_) co_await weighted.endpoint->close();
}

}  // namespace doorward::upstream
