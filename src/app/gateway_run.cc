// The control thread's loop: signals, changed files, the second's tick, the hand-over to a new
// binary.
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/gateway.h"
#include "config/named_files.h"
#include "config/source.h"

namespace doorward::app {
namespace {

constexpr Duration kSettle{100};  // editors write a file in several steps
constexpr Duration kTick{1'000};
constexpr Duration kLogFlush{2'000};

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void Gateway::run() {
  const sigset_t set = handled_signals();
  signal_fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  gate_.spawn(watch_signals(signal_fd_));
  gate_.spawn(watch_files());
  gate_.spawn(tick());
  gate_.spawn(end_with_cores());
  loop_->run();
  if (snapshot_->access_log) snapshot_->access_log->close(kLogFlush);
  close(signal_fd_);
  events_.info("stopped");
}

// The cores have ended: so does everything that watches.
loop::Task<void> Gateway::end_with_cores() {
  while (cores_running_ > 0) co_await loop_->sleep(Duration(10));
  ended_ = true;
  end_.set_value();
  for (CoreThread& core : cores_) core.thread.join();
  cores_.clear();
  loop_->cancel_waits(signal_fd_);
  loop_->cancel_waits(file_watch_.fd());
  if (admin_) co_await admin_->stop();
  co_await tls_upkeep_.stop();
  while (gate_.count() > 1) co_await loop_->sleep(Duration(10));
  loop_->stop();
}

loop::Task<void> Gateway::watch_signals(int fd) {
  while (!ended_) {
    const Result<void> readable = co_await loop_->readable(fd, Deadline::never());
    if (!readable) co_return;
    signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info) {
      on_signal(static_cast<int>(info.ssi_signo));
    }
  }
}

void Gateway::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      if (snapshot_->access_log) snapshot_->access_log->reopen();
      return reload("SIGHUP");
    case SIGUSR1:
      if (snapshot_->access_log) snapshot_->access_log->reopen();
      return;
    case SIGUSR2:
      return gate_.spawn(upgrade());
    default:
      return drain(options_.drain_time);
  }
}

loop::Task<void> Gateway::watch_files() {
  if (options_.config.empty()) co_return;
  watch_folders();
  while (!ended_) {
    const Result<void> readable = co_await loop_->readable(file_watch_.fd(), Deadline::never());
    if (!readable) co_return;
    co_await loop_->sleep(kSettle);
    const bool look = file_watch_.take_changes();
    while (look && !ended_ && files_changed()) {
      reload("a file changed");
      co_await loop_->sleep(kSettle);
    }
  }
}

// Folders are watched, not files: editors replace files, and Kubernetes swaps a link. The
// configuration's own folder may be replaced too, and its files are those of now, also when they
// cannot be used.
void Gateway::watch_folders() {
  std::vector<std::string> files = config::source_files(options_.config);
  files.push_back(options_.config + "/");  // a folder may be without files, or a file yet
  files.insert(files.end(), seen_.named_files.begin(), seen_.named_files.end());
  const Result<void> all = file_watch_.watch(config::folders_to_watch(files));
  if (!all) events_.warning("file_watch_failed", {{"error", all.error().cause}});
}

// Watches first and looks then, so that no change falls between.
bool Gateway::files_changed() {
  watch_folders();
  std::string text = config::read_text(options_.config);
  const std::uint64_t hash = config::hash_files(seen_.named_files);
  if (text == seen_.text && hash == seen_.hash) return false;
  seen_.text = std::move(text);
  seen_.hash = hash;
  return true;
}

loop::Task<void> Gateway::tick() {
  while (!ended_) {
    co_await loop_->sleep(kTick);
    events_.tick();
    tls_upkeep_.tick(*loop_, *snapshot_);
    forget_old_snapshots();
    for (CoreThread& core : cores_) {
      core.core->loop().post([c = core.core] { c->report_counters(); });
    }
  }
}

// SIGUSR2: the new process says when it serves; until then this one goes on as if nothing were.
loop::Task<void> Gateway::upgrade() {
  if (draining_ || upgrading_) co_return;
  upgrading_ = true;
  const Result<Upgrade::Successor> fresh =
      upgrade_.start(sockets_.describe(), sockets_.descriptors(), made_token_);
  if (!fresh) {
    events_.error("upgrade_failed", {{"error", fresh.error().cause}});
    upgrading_ = false;
    co_return;
  }
  events_.info("upgrading");
  const Result<void> said =
      co_await loop_->readable(fresh->ready, Deadline::after(loop_->now(), options_.upgrade_time));
  char byte = 0;
  const bool serves = read(fresh->ready, &byte, 1) == 1;
  close(fresh->ready);
  upgrading_ = false;
  if (serves) {
    sockets_.hand_over();
    if (const auto admin = std::move(admin_)) co_await admin->stop();  // the new one answers
    if (!draining_) drain(options_.drain_time);  // it may have been told to, meanwhile
  } else {
    Upgrade::end(*fresh);  // one that is late would serve beside this one, and hear no reload
    events_.error(
        "upgrade_failed",
        {{"error", said ? "the new process ended before it was ready; its own log says why"
                        : "the new process was not ready in time"},
         {"running", "this process, as before"}});
  }
}

// The former process went on without this one: its sockets are not to be served by two.
void Gateway::give_way() {
  events_.error("upgrade_failed",
                {{"error", "the process before this one waits for it no longer"}});
  sockets_.hand_over();
  drain(options_.drain_time);
}

}  // namespace doorward::app
