#include "observe/access_log_writer.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace doorward::observe {
namespace {

constexpr int kLookEveryMs = 100;
constexpr int kLookWhenClosingMs = 5;
constexpr auto kGrace = std::chrono::milliseconds(100);  // for the thread to see its deadline

std::string_view way_out(int error) {
  switch (error) {
    case ENOSPC:
      return "its disk is full: free space there, or name another access_log.path and reload";
    case EDQUOT:
      return "the disk quota is used up: free space, or name another access_log.path and reload";
    case EFBIG:
      return "the file is as large as it may be: move it away and send SIGHUP";
    case EPIPE:
      return "nobody reads the pipe: start its reader again, and send SIGHUP";
    default:
      return "check its disk, or name another access_log.path and reload";
  }
}

}  // namespace

AccessLogWriter::AccessLogWriter(std::string path, AccessFormat format, LogFile file, int wake_fd,
                                 EventLog& events, MetricsShard& shard)
    : path_(std::move(path)),
      format_(std::move(format)),
      wake_fd_(wake_fd),
      file_(std::move(file)),
      events_(events),
      shard_(shard) {}

AccessLogWriter::~AccessLogWriter() { ::close(wake_fd_); }

void AccessLogWriter::add_cores(std::size_t cores, std::size_t buffer) {
  for (std::size_t i = 0; i < cores; ++i) {
    cores_.push_back(std::make_unique<AccessLogCore>(format_, *this, buffer));
  }
}

// Signals are the control thread's: this one takes none, and gets EPIPE instead of SIGPIPE.
void AccessLogWriter::start(const std::shared_ptr<AccessLogWriter>& self) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  self->thread_ = std::thread([self] { self->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void AccessLogWriter::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

void AccessLogWriter::reopen() {
  reopen_wanted_.store(true, std::memory_order_release);
  wake();
}

void AccessLogWriter::run() {
  while (true) {
    const bool closing = closing_.load(std::memory_order_acquire);  // before the last drain
    if (reopen_wanted_.exchange(false, std::memory_order_acq_rel)) open_anew();
    const Progress progress = drain();
    if (closing && (progress == Progress::all_written ||
                    std::chrono::steady_clock::now() >= deadline_.load())) {
      break;
    }
    wait(progress);
  }
  finish();
}

AccessLogWriter::Progress AccessLogWriter::drain() {
  for (std::size_t i = 0; i < cores_.size(); ++i) {
    const Progress progress = write_core(*cores_[turn_]);
    if (progress != Progress::all_written) return progress;
    turn_ = (turn_ + 1) % cores_.size();
  }
  return Progress::all_written;
}

// At most a lap of the ring and a little: a core that is quicker than the disk must not keep the
// others waiting for ever.
AccessLogWriter::Progress AccessLogWriter::write_core(AccessLogCore& core) {
  std::size_t left = core.ring_.capacity();
  while (true) {
    const std::string_view view = core.ring_.readable();
    if (view.empty() || (left == 0 && partial_ == 0)) return Progress::all_written;
    const auto taken = file_.write(view.substr(partial_));
    if (!taken) {
      failed(taken.error());
      return Progress::failed;
    }
    if (*taken == 0) return Progress::reader_busy;
    works_again();
    left -= std::min(left, *taken);
    consume_whole_lines(core.ring_, view, partial_ + *taken);
  }
}

void AccessLogWriter::consume_whole_lines(LineRing& ring, std::string_view view,
                                          std::size_t written) {
  const std::size_t newline = view.rfind('\n', written - 1);
  const std::size_t whole = newline == std::string_view::npos ? 0 : newline + 1;
  ring.consume(whole);
  partial_ = written - whole;
}

// What is half written is completed where it began, if it still can be; if not, the new file gets
// the whole line.
void AccessLogWriter::open_anew() {
  auto opened = LogFile::open(path_);
  if (opened) {
    if (partial_ != 0) write_core(*cores_[turn_]);
    partial_ = 0;
    file_ = std::move(*opened);
  } else {
    const std::scoped_lock lock(mutex_);
    if (!abandoned_) {
      shard_.add(Metric::access_log_errors);
      events_.error("access_log_reopen_failed",
                    {{"path", path_},
                     {"error", opened.error().cause},
                     {"effect", "lines still go to the file that was open before"},
                     {"hint", "let this user write to that path, and send SIGHUP again"}});
    }
  }
  reopens_.fetch_add(1, std::memory_order_release);
}

void AccessLogWriter::wait(Progress progress) {
  pollfd sources[2] = {{wake_fd_, POLLIN, 0}, {file_.fd(), POLLOUT, 0}};
  const bool closing = closing_.load(std::memory_order_acquire);
  poll(sources, progress == Progress::reader_busy ? 2 : 1,
       closing ? kLookWhenClosingMs : kLookEveryMs);
  std::uint64_t count = 0;
  if ((sources[0].revents & POLLIN) != 0) {
    [[maybe_unused]] const ssize_t got = ::read(wake_fd_, &count, sizeof count);
  }
}

void AccessLogWriter::failed(const Error& error) {
  const std::scoped_lock lock(mutex_);
  if (abandoned_) return;
  shard_.add(Metric::access_log_errors);
  if (std::exchange(failing_, true)) return;
  events_.error("access_log_failed",
                {{"path", path_},
                 {"error", error.cause},
                 {"effect", "lines wait in memory; when it is full they are dropped and counted"},
                 {"hint", way_out(error.code)}});
}

void AccessLogWriter::works_again() {
  if (!failing_) return;
  failing_ = false;
  const std::scoped_lock lock(mutex_);
  if (!abandoned_) events_.info("access_log_recovered", {{"path", path_}});
}

void AccessLogWriter::finish() {
  std::uint64_t lost = 0;
  for (const auto& core : cores_) {
    for (auto view = core->ring_.readable(); !view.empty(); view = core->ring_.readable()) {
      lost += static_cast<std::uint64_t>(std::ranges::count(view, '\n'));
      core->ring_.consume(view.size());
    }
  }
  const std::scoped_lock lock(mutex_);
  if (!abandoned_ && lost > 0) {
    shard_.add(Metric::access_log_dropped, lost);
    events_.error("access_log_lines_lost", {{"path", path_}, {"lines", lost}});
  }
  lost_ = lost;
  ended_ = true;
  ended_changed_.notify_all();
}

bool AccessLogWriter::close(Duration wait) {
  if (!thread_.joinable()) return lost_ == 0;
  const TimePoint deadline = std::chrono::steady_clock::now() + wait;
  deadline_.store(deadline);
  closing_.store(true, std::memory_order_release);
  wake();
  std::unique_lock lock(mutex_);
  if (ended_changed_.wait_until(lock, deadline + kGrace, [this] { return ended_; })) {
    lock.unlock();
    thread_.join();
    return lost_ == 0;
  }
  abandoned_ = true;
  lost_ = 1;
  thread_.detach();
  return false;
}

}  // namespace doorward::observe
