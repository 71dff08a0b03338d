// Service: a named backend as one core sees it: endpoints, balancing, pools. It lives as long as
// an equal ServiceConfig is in use or an exchange holds it, so a reload keeps its connections.
// Owner: Services (by shared_ptr, core-local). One thread only.
#pragma once

#include <memory>
#include <vector>

#include "observe/metrics.h"
#include "upstream/endpoint.h"

namespace doorward::upstream {

class Service {
 public:
  Service(loop::Loop& loop, loop::Resolver& resolver, std::shared_ptr<const ServiceConfig> config,
          observe::ServiceSeries series);

  const ServiceConfig& config() const { return *config_; }
  observe::ServiceSeries& series() { return series_; }
  std::size_t endpoint_count() const { return endpoints_.size(); }

  // The endpoint for the next attempt, by weighted round robin; endpoints that refused just now
  // come last, those in `tried` (a bit per endpoint, the first 64) not at all. Null: none is left.
  Endpoint* choose(std::uint64_t tried);
  std::uint64_t bit_of(const Endpoint& endpoint) const;

  loop::Task<void> close();

 private:
  struct Weighted {
    std::unique_ptr<Endpoint> endpoint;
    std::int64_t weight;
    std::int64_t current = 0;  // of smooth weighted round robin
  };
  Endpoint* best(std::uint64_t tried, bool failing_too);

  loop::Loop& loop_;
  std::shared_ptr<const ServiceConfig> config_;
  codec::h1::ClientSettings settings_;
  observe::ServiceSeries series_;
  std::vector<Weighted> endpoints_;
};

}  // namespace doorward::upstream
