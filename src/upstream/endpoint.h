// Endpoint: one address of a service as one core sees it: its resolved addresses, its pool, and
// whether it refused a connection just now.
// Owner: a Service. One thread only.
#pragma once

#include <memory>
#include <vector>

#include "loop/resolver.h"
#include "upstream/pool.h"
#include "upstream/service_config.h"

namespace doorward::upstream {

class Endpoint {
 public:
  Endpoint(loop::Loop& loop, loop::Resolver& resolver, const EndpointConfig& config,
           const ServiceConfig& service, const codec::h1::ClientSettings& settings);

  const EndpointConfig& config() const { return config_; }
  const std::string& authority() const { return authority_; }
  Pool& pool() { return pool_; }

  // A new connection. Errors carry the reason: name_unresolved, connect_failed, connect_timeout,
  // pool_exhausted; all may be tried elsewhere.
  loop::Task<Result<std::unique_ptr<Connection>>> connect(Deadline deadline);

  // Refused or timed out within the last second: others are tried first.
  bool failing(TimePoint now) const { return now < failing_until_; }

  // Waits until nothing that this endpoint started is under way.
  loop::Task<void> close();

 private:
  loop::Task<Result<loop::Address>> address(Deadline deadline);
  loop::Task<Result<void>> resolve(Deadline deadline);
  loop::Task<void> refresh();
  Failure failed(Error error, std::string_view what);

  loop::Loop& loop_;
  loop::Resolver& resolver_;
  const EndpointConfig config_;
  const codec::h1::ClientSettings& settings_;
  const Duration connect_timeout_;
  const std::string authority_;
  Pool pool_;
  std::vector<loop::Address> addresses_;
  std::size_t next_address_ = 0;
  TimePoint addresses_until_{};
  TimePoint failing_until_{};
  bool refreshing_ = false;
  loop::Gate gate_;
};

}  // namespace doorward::upstream
