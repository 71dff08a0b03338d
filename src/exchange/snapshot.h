// Snapshot: all compiled configuration, immutable, shared by all cores. CoreSnapshot is one core's
// handle on it together with the live services it names; an exchange keeps the one it began with.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "exchange/listener_config.h"
#include "handler/fixed/fixed_response.h"
#include "handler/redirect/redirect.h"
#include "observe/access_log.h"
#include "observe/metrics.h"
#include "policy/chain.h"
#include "route/route_table.h"
#include "tls/client_context.h"
#include "upstream/service.h"

namespace doorward::exchange {

// A route's handler that passes the request on to a service: its index in Snapshot::services.
struct ServiceTarget {
  std::size_t index = 0;
};

using Handler = std::variant<ServiceTarget, handler::Redirect, handler::FixedResponse>;

struct Route {
  std::string name;
  Handler handler;
  policy::PolicyChain chain;
  observe::Slot slot = 0;          // of its metrics
  bool wants_certificate = false;  // it is only for clients that have one, or a certain one
};

struct ServiceEntry {
  std::shared_ptr<const upstream::ServiceConfig> config;
  observe::Slot slot = 0;
  // Where an endpoint speaks TLS: a context for each core.
  std::vector<std::shared_ptr<const tls::ClientContext>> tls;
};

struct Snapshot {
  std::vector<ListenerEntry> listeners;
  std::vector<ServiceEntry> services;
  std::unique_ptr<const route::RouteTable> table;  // its indices are those of `routes`
  std::vector<Route> routes;
  std::shared_ptr<observe::AccessLog> access_log;  // null: off
  std::string debug_token;                         // empty: nobody gets a debug answer
};

// Counted without atomics: one core's own.
class CoreSnapshot {
 public:
  CoreSnapshot(std::shared_ptr<const Snapshot> snapshot,
               std::vector<std::shared_ptr<upstream::Service>> services)
      : snapshot_(std::move(snapshot)), services_(std::move(services)) {}

  const Snapshot& operator*() const { return *snapshot_; }
  const Snapshot* operator->() const { return snapshot_.get(); }
  const std::vector<std::shared_ptr<upstream::Service>>& services() const { return services_; }

  void hold() { ++holders_; }
  // True when nobody holds it any more.
  [[nodiscard]] bool drop() { return --holders_ == 0; }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::shared_ptr<upstream::Service>> services_;
  std::uint32_t holders_ = 0;
};

}  // namespace doorward::exchange
