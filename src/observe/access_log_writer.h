// AccessLogWriter: the thread behind an AccessLog. Takes the lines of all cores' rings in turn and
// writes them in big blocks; lines are written whole and consumed only then, so that a full disk
// or a rotation in the middle of one neither tears nor loses it.
// Owner: AccessLog and the thread itself, together (a write can hang for ever).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "observe/access_log.h"
#include "observe/log_file.h"

namespace doorward::observe {

class AccessLogWriter {
 public:
  AccessLogWriter(std::string path, AccessFormat format, LogFile file, int wake_fd,
                  EventLog& events, MetricsShard& shard);
  AccessLogWriter(const AccessLogWriter&) = delete;
  AccessLogWriter& operator=(const AccessLogWriter&) = delete;
  ~AccessLogWriter();

  void add_cores(std::size_t cores, std::size_t buffer);
  static void start(const std::shared_ptr<AccessLogWriter>& self);

  AccessLogCore& core(std::size_t index) { return *cores_[index]; }
  void wake();  // any thread
  void reopen();
  std::uint64_t reopens() const { return reopens_.load(std::memory_order_acquire); }
  bool close(Duration wait);

 private:
  enum class Progress : std::uint8_t { all_written, reader_busy, failed };

  void run();
  Progress drain();
  Progress write_core(AccessLogCore& core);
  void consume_whole_lines(LineRing& ring, std::string_view view, std::size_t written);
  void open_anew();
  void wait(Progress progress);
  void failed(const Error& error);
  void works_again();
  void finish();

  const std::string path_;
  const AccessFormat format_;
  std::vector<std::unique_ptr<AccessLogCore>> cores_;
  const int wake_fd_;
  std::thread thread_;

  // The thread's own.
  LogFile file_;
  std::size_t turn_ = 0;     // the core whose lines come next
  std::size_t partial_ = 0;  // bytes of its first line that are in the file already
  bool failing_ = false;

  std::atomic<bool> reopen_wanted_{false};
  std::atomic<std::uint64_t> reopens_{0};
  std::atomic<bool> closing_{false};
  std::atomic<TimePoint> deadline_{TimePoint::max()};

  std::mutex mutex_;  // of what follows, and of every use of events_ and shard_
  std::condition_variable ended_changed_;
  bool ended_ = false;
  bool abandoned_ = false;  // the owner has gone: touch nothing that is not ours
  std::uint64_t lost_ = 0;
  EventLog& events_;
  MetricsShard& shard_;
};

}  // namespace doorward::observe
