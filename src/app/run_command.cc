// run: raises the limit of open files, starts the gateway, and turns failures into exit statuses.
#include <fmt/format.h>
#include <sys/resource.h>

#include "app/commands.h"
#include "config/access_log_place.h"
#include "config/load.h"

namespace doorward::app {
namespace {

constexpr rlim_t kEnoughFiles = 4096;

// As many descriptors as the system allows: each connection takes one.
void raise_file_limit(observe::EventLog& events) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < kEnoughFiles) {
    events.warning("few_file_descriptors",
                   {{"limit", limit.rlim_cur},
                    {"hint", "each connection takes one; raise it with ulimit -n or LimitNOFILE"}});
  }
}

// What is wrong with the access log's place when that is why nothing started: no mistake of the
// configuration, which is read again only to tell the two apart. Empty: it is something else.
std::string unusable_log(const std::string& config) {
  schema::Diagnostics diagnostics;
  const std::optional<config::Loaded> loaded =
      config.empty() ? std::nullopt : config::load(config, diagnostics);
  if (!loaded || !loaded->model.access_log) return {};
  return config::access_log_problem(*loaded->model.access_log);
}

int report_failure(const RunOptions& options, const Error& error, observe::EventLog& events) {
  std::string cause = error.cause;
  if (error.kind == ErrorKind::invalid) {
    const std::string log = unusable_log(options.config);
    if (log.empty()) {
      fmt::print(stderr, "{}{}", error.cause, error.cause.ends_with('\n') ? "" : "\n");
      return kBadConfiguration;
    }
    cause = fmt::format("access_log.path: {}", log);
  }
  events.error("start_failed", {{"error", cause}});
  return kSystemFailure;
}

}  // namespace

int run(const RunOptions& options, observe::Level level, int argc, char** argv) {
  block_signals();
  observe::EventLog events(2, level);
  raise_file_limit(events);
  Upgrade upgrade(argc, argv);
  Gateway gateway(options, events, upgrade);
  if (const Result<void> started = gateway.start(); !started) {
    return report_failure(options, started.error(), events);
  }
  gateway.run();
  return 0;
}

}  // namespace doorward::app
