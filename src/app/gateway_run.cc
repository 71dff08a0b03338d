// The control thread's loop: signals, file changes, the seconds' tick, the hand-over to a new
// binary.
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "app/gateway.h"

namespace doorward::app {
namespace {

constexpr Duration kSettle{100};  // editors write a file in several steps

std::vector<int> all_of(const ListeningSockets& sockets, const std::vector<std::string>& names) {
  std::vector<int> all;
  for (const std::string& name : names) {
    const std::vector<int>& fds = sockets.of(name);
    all.insert(all.end(), fds.begin(), fds.end());
  }
  return all;
}

}  // namespace

// Threads inherit the mask, so this runs before any is started.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGUSR2}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

void Gateway::run() {
  const sigset_t set = block_signals();
  signal_fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  watch_fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  gate_.spawn(watch_signals(signal_fd_));
  gate_.spawn(watch_files());
  gate_.spawn(tick());
  loop_->run();
  ending_ = true;
  for (CoreThread& core : cores_) core.thread.join();
  loop_->cancel_waits(signal_fd_);
  loop_->cancel_waits(watch_fd_);
  if (admin_) admin_->stop();
  gate_.spawn(finish());
  loop_->run();
  cores_.clear();
  if (snapshot_->access_log) snapshot_->access_log->close(Duration(2'000));
  close(signal_fd_);
  close(watch_fd_);
  events_.info("stopped");
}

}  // namespace doorward::app
