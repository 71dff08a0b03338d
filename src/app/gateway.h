// Gateway: the running process. The control thread (main) loads and compiles configuration, opens
// sockets, serves the admin interface and watches signals and files; one thread per Core serves
// requests and hears from it by post() only.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "admin/admin_server.h"
#include "app/file_watch.h"
#include "app/listening_sockets.h"
#include "app/tls_upkeep.h"
#include "app/upgrade.h"
#include "config/compile.h"
#include "config/load.h"
#include "exchange/core.h"
#include "loop/loop.h"
#include "observe/event_log.h"
#include "observe/metrics.h"

namespace doorward::app {

struct RunOptions {
  std::string config;    // a file or folder; empty: `upstream` is the whole configuration
  std::string upstream;  // http://HOST:PORT or https://HOST:PORT
  unsigned workers = 0;  // 0: as many as the machine has cores
  loop::Backend backend = loop::Backend::automatic;
  Duration drain_time{30'000};
  Duration upgrade_time{30'000};  // for a new binary to become ready
};

// To be called before any thread is started: signals are read by the control thread only.
void block_signals();

class Gateway final : public admin::AdminSource {
 public:
  Gateway(RunOptions options, observe::EventLog& events, Upgrade& upgrade);
  ~Gateway();

  // Everything up to "ready". The exit status that goes with a failure is its code (1 or 2).
  Result<void> start();
  // Until a signal ended it and everything drained.
  void run();

  // AdminSource
  bool ready() const override { return ready_; }
  std::string metrics_text() override;
  std::string config_text() override;

  // Ends what was let in by these credentials (exchange/live_credentials.h), on all cores.
  void revoke(std::vector<std::string> credentials);

 private:
  struct CoreThread {
    exchange::Core* core;  // lives on its thread, until `end_`
    std::thread thread;
  };

  // What was read last, whether or not it could be used: to see when it is another.
  struct Seen {
    std::vector<std::string> named_files;
    std::string text;
    std::uint64_t hash = 0;  // of what is in the named files
  };

  std::shared_ptr<const exchange::Snapshot> prepare(std::optional<config::Loaded>& loaded,
                                                    schema::Diagnostics& diagnostics);
  unsigned core_count() const;
  void tell_use(const config::Model& model, const schema::Diagnostics& diagnostics);
  void tell_time(observe::GaugeOf<observe::Scope::process> gauge);
  void keep_admin(config::Model& model);
  void name_metrics();
  Result<void> open_sockets(const exchange::Snapshot& snapshot);
  Result<void> start_cores();
  void run_core(unsigned index, observe::MetricsShard& metrics,
                std::promise<Result<exchange::Core*>> made);
  Result<void> start_admin(const config::Model& model);
  void use(std::shared_ptr<const exchange::Snapshot> snapshot, std::function<void()> done);
  void add_listener(const exchange::ListenerEntry& listener);
  void change_listeners(const exchange::Snapshot& before);
  void revoke_certificates(const exchange::Snapshot& before);
  void remove_listener(const std::string& key);
  void on_all_cores(std::function<void(exchange::Core&)> work, std::function<void()> done);
  // To be called once by each core; the last call has `done` run on the control thread.
  std::function<void()> when_all_cores_did(std::function<void()> done);

  void reload(std::string_view why);
  // Empty when it went well.
  std::vector<std::string> try_reload(std::string_view why);
  void drain(Duration patience);
  void core_ended() { --cores_running_; }
  void forget_old_snapshots();

  // The control thread's tasks (gateway_run.cc).
  loop::Task<void> watch_signals(int fd);
  void on_signal(int number);
  loop::Task<void> watch_files();
  void watch_folders();
  bool files_changed();
  loop::Task<void> tick();
  loop::Task<void> upgrade();
  void give_way();
  loop::Task<void> end_with_cores();

  const RunOptions options_;
  observe::EventLog& events_;
  Upgrade& upgrade_;
  observe::Metrics metrics_;
  observe::MetricsShard& shard_;      // of the control thread
  observe::MetricsShard& log_shard_;  // of the access log's writer
  std::unique_ptr<loop::Loop> loop_;
  loop::Gate gate_;
  ListeningSockets sockets_;
  std::promise<void> end_;  // nobody posts to the cores any more
  std::shared_future<void> all_ended_{end_.get_future()};
  std::vector<CoreThread> cores_;
  std::shared_ptr<const exchange::Snapshot> snapshot_;
  std::vector<std::shared_ptr<const exchange::Snapshot>> old_snapshots_;
  Seen seen_;
  FileWatch file_watch_;
  TlsUpkeep tls_upkeep_{events_, shard_};
  std::string config_json_;  // as understood, without secrets
  std::unique_ptr<admin::AdminServer> admin_;
  std::optional<config::AdminConfig> admin_config_;  // that it runs by
  std::string made_token_;                           // when the configuration has none
  std::uint64_t generation_ = 1;
  unsigned cores_running_ = 0;
  bool ready_ = false;
  bool draining_ = false;
  bool upgrading_ = false;
  bool ended_ = false;
  int signal_fd_ = -1;
};

}  // namespace doorward::app
