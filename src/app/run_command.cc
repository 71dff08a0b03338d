// run: raises the limit of open files, starts the gateway, and turns failures into exit statuses.
#include <fmt/format.h>
#include <sys/resource.h>

#include "app/commands.h"

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

}  // namespace

int run(const RunOptions& options, observe::Level level, int argc, char** argv) {
  block_signals();
  observe::EventLog events(2, level);
  raise_file_limit(events);
  Upgrade upgrade(argc, argv);
  Gateway gateway(options, events, upgrade);
  if (const Result<void> started = gateway.start(); !started) {
    const bool config = started.error().kind == ErrorKind::invalid;
    if (config) {
      fmt::print(stderr, "{}\n", started.error().cause);
      return kBadConfiguration;
    }
    events.error("start_failed", {{"error", started.error().cause}});
    return kSystemFailure;
  }
  gateway.run();
  return 0;
}

}  // namespace doorward::app
