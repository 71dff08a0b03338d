// Service: a named backend as one core sees it: endpoints, balancing, pools. It lives as long as
// an equal ServiceConfig is in use or an exchange holds it, so a reload keeps its connections.
// Owner: Services (by shared_ptr, core-local). One thread only.
#pragma once

#include <memory>
#include <vector>

#include "observe/metrics.h"
#include "upstream/discovery.h"
#include "upstream/endpoint.h"
#include "upstream/queue.h"

namespace doorward::upstream {

class Service final : Discovery::Sink, Queue::Server {
 public:
  // `tls`: for its https endpoints; null when it has none. `core` outlives the service.
  Service(const Discovery::Tools& tools, tls::PerCore& core,
          std::shared_ptr<const ServiceConfig> config,
          std::shared_ptr<const tls::ClientContext> tls, observe::ServiceSeries series);

  const ServiceConfig& config() const { return *config_; }
  observe::ServiceSeries& series() { return series_; }
  std::size_t endpoint_count() const { return endpoints_.size(); }

  // The endpoint for the next attempt, by weighted round robin; endpoints that refused just now
  // come last, those in `tried` not at all. One whose pool is full only when all are that did not
  // refuse. Null: none is left. Hold it across waits.
  Endpoint* choose(const Tried& tried, Want want) {
    if (endpoints_.size() == 1) [[likely]] {
      Endpoint* only = endpoints_[0].endpoint.get();
      return tried.has(*only) ? nullptr : only;
    }
    return choose_among_many(tried, want);
  }
  // Would choose() find one?
  bool has_untried(const Tried& tried) const;

  // A place at an endpoint whose pool is not full.
  Place place_at(EndpointRef endpoint, Want want);
  // For when choose() found none, or a full one: waits while all connections are in use, or names
  // are resolved for the first time. Errors carry the reason: pool_exhausted, name_unresolved,
  // no_endpoint.
  loop::Task<Result<Place>> await_place(Waiter& waiter, Deadline deadline);

  // A response that was not to be used: counts it, when it is the parser that refused it.
  void note_refusal(const Error& why);

  loop::Task<void> close();
  // Ends what close() waits for, when there is no time left.
  void cut();

 private:
  struct Weighted {
    EndpointRef endpoint;
    const Discovery* from;
    std::int64_t weight = 0;
    std::int64_t current = 0;  // of smooth weighted round robin
  };
  Endpoint* choose_among_many(const Tried& tried, Want want);
  Endpoint* best(const Tried& tried, Want want, bool failing_too);
  bool names_pending() const;
  Result<Deadline> patience(const Waiter& waiter) const;
  void serve_queue() override;
  void on_connect_failed(const Error& why) override;
  void on_addresses(const Discovery& from, const std::vector<loop::Address>& now) override;
  void on_unresolved(const Discovery& from, const Error& why) override;
  bool drop_missing(const Discovery& from, const std::vector<loop::Address>& now);
  bool add_missing(const Discovery& from, const std::vector<loop::Address>& now);
  bool lists(const Discovery& from, const loop::Address& address) const;

  loop::Loop& loop_;
  std::shared_ptr<const ServiceConfig> config_;
  loop::Gate connections_;  // what serves shared ones
  observe::ServiceSeries series_;
  ConnectionSettings settings_;
  std::uint32_t next_number_ = 0;
  std::vector<Weighted> endpoints_;
  std::vector<std::unique_ptr<Discovery>> discoveries_;
  Error unresolved_;  // why the last name has no address
  Queue queue_;
};

}  // namespace doorward::upstream
