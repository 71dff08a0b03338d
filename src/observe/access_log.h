// AccessLog: one JSON line per request, formatted by the request's core into memory of its own
// and written by one thread for all cores. A request never waits, never makes a system call for
// its line (the writer looks every 100 ms and is woken once per quarter of a core's buffer), and
// when the buffer is full its line is dropped and counted.
// Owner: the snapshot, by shared_ptr; cores keep an AccessLogCore& as long as they keep the log.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "observe/access_format.h"
#include "observe/access_log_config.h"
#include "observe/event_log.h"
#include "observe/line_ring.h"
#include "observe/metrics.h"

namespace doorward::observe {

class AccessLogWriter;

// One core's end of the log; that core's thread only.
class AccessLogCore {
 public:
  AccessLogCore(const AccessFormat& format, AccessLogWriter& writer, std::size_t buffer);
  AccessLogCore(const AccessLogCore&) = delete;
  AccessLogCore& operator=(const AccessLogCore&) = delete;

  // Takes the line of a finished request, or drops and counts it, in the calling core's `shard`.
  void write(const AccessRecord& record, MetricsShard& shard);

 private:
  friend class AccessLogWriter;
  bool write_long(const AccessRecord& record);
  void published(std::uint64_t total);

  const AccessFormat& format_;
  AccessLogWriter& writer_;
  LineRing ring_;
  TimeStamp stamp_;
  const std::uint64_t wake_every_;
  std::uint64_t wake_at_;
  std::unique_ptr<char[]> scratch_;  // for lines that could be longer than a third of the ring
};

class AccessLog {
 public:
  // Opens the log and starts its thread. `events`, `metrics` outlive the log. The error is one
  // sentence: "access_log: cannot open /var/log/x.log: Permission denied".
  static Result<std::unique_ptr<AccessLog>> open(const AccessLogConfig& config, std::size_t cores,
                                                 EventLog& events, Metrics& metrics);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog();  // close(1 s) if it was not called

  AccessLogCore& core(std::size_t index) { return *cores_[index]; }
  const AccessLogConfig& config() const { return config_; }

  // Rotation (SIGHUP): opens the path anew. Returns at once; any thread. Lines taken meanwhile
  // go to either file, whole. If the path cannot be opened, the old file stays in use.
  void reopen();
  // How often the path was opened anew with success (tests, operators).
  std::uint64_t times_reopened() const;

  // No core writes any more: writes what is buffered, for at most `wait`, and ends the thread.
  // Returns false if the deadline passed first.
  bool close(Duration wait);

 private:
  AccessLog(AccessLogConfig config, AccessFormat format) noexcept;

  AccessLogConfig config_;
  // The writer may outlive the log when it hangs in a write (a dead network file system): then
  // its thread keeps these alive.
  std::shared_ptr<AccessFormat> format_;
  std::shared_ptr<AccessLogWriter> writer_;
  std::vector<std::shared_ptr<AccessLogCore>> cores_;
};

}  // namespace doorward::observe
