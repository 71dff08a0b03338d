// Core: everything that one thread owns: its loop, its handle on the snapshot, the live services
// with their pools, its listeners' connections, its shard of the metrics. Nothing here is shared;
// the control thread speaks to it through Loop::post.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exchange/exchange.h"
#include "exchange/listener.h"
#include "exchange/live_credentials.h"
#include "exchange/snapshot.h"
#include "http/date.h"
#include "loop/loop.h"
#include "loop/resolver.h"
#include "observe/event_log.h"
#include "observe/metrics.h"
#include "tls/per_core.h"

namespace doorward::exchange {

class Core final : loop::TimerTarget {
 public:
  Core(unsigned index, std::unique_ptr<loop::Loop> loop, observe::MetricsShard& metrics,
       observe::EventLog& events);
  ~Core();

  // Takes the configuration over; exchanges on their way keep the one they began with. Services
  // whose configuration did not change keep their connections.
  void use(std::shared_ptr<const Snapshot> snapshot);
  // Accepts from `listening_fd`, too, for a listener of the snapshot, and closes it when it stops.
  // `cores` share the limit of connections.
  void listen(const ListenerEntry& listener, int listening_fd, unsigned cores);
  // Accepts on the listener who is about to connect, then closes its descriptors and drains its
  // connections; `closed` is called once, when nothing is bound any more.
  void unlisten(const std::string& key, std::function<void()> closed);
  // Stops accepting likewise, lets what is under way finish (at most `patience`, then it is cut),
  // and stops the loop. A second call shortens the patience.
  void drain(Duration patience);

  // The loop's counters into the metrics.
  void report_counters();

  unsigned index() const { return index_; }
  loop::Loop& loop() { return *loop_; }
  observe::MetricsShard& metrics() { return metrics_; }
  observe::EventLog& events() { return events_; }
  tls::PerCore& tls() { return tls_; }
  LiveCredentials& credentials() { return credentials_; }
  CoreSnapshot& snapshot() { return *snapshot_; }
  bool draining() const { return draining_; }
  std::string_view date();  // for the Date header

  // Memory of exchanges, kept for the next ones.
  Exchange* make_exchange(ListenerState& listener, const ClientFacts& connection,
                          codec::ServerStream& client);
  void free_exchange(Exchange* exchange);
  void drop(CoreSnapshot& snapshot);

  // The scope of connections and what else runs on this core.
  loop::Gate& gate() { return gate_; }

 private:
  void refresh_listeners();
  std::vector<std::shared_ptr<upstream::Service>> services_for(const Snapshot& snapshot);
  loop::Task<void> retire(std::shared_ptr<upstream::Service> service);
  loop::Task<void> close_listener(ListenerState& listener, std::function<void()> closed);
  loop::Task<void> shut_down();
  void on_timer(loop::Timer&) override;
  void cut_all();

  const unsigned index_;
  std::unique_ptr<loop::Loop> loop_;
  observe::MetricsShard& metrics_;
  observe::EventLog& events_;
  loop::Resolver resolver_;
  tls::PerCore tls_;
  http::DateCache date_;
  LiveCredentials credentials_;
  CoreSnapshot* snapshot_ = nullptr;
  std::map<std::string, std::unique_ptr<ListenerState>> listeners_;  // by ListenerConfig::key
  std::vector<std::unique_ptr<ListenerState>> closed_listeners_;
  std::vector<void*> free_exchanges_;
  loop::Gate gate_;                           // connections
  loop::Gate services_;                       // services that are closing
  std::vector<upstream::Service*> retiring_;  // those
  loop::Gate lifetime_;                       // the task that shuts the core down
  loop::Timer cut_{*this};
  bool draining_ = false;
  bool out_of_patience_ = false;  // of the drain
};

}  // namespace doorward::exchange
