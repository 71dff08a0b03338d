// AccessLog: one JSON line per request, formatted by the request's core into memory of its own
// and written by one thread for all cores. A request never waits, never makes a system call for
// its line (the writer looks every 100 ms and is woken once per quarter of a core's buffer), and
// when the buffer is full its line is dropped and counted.
// Owner: the snapshot, by shared_ptr; cores keep an AccessLogCore& as long as they keep the log.
#pragma once

#include <cstddef>
#include <memory>

#include "base/error.h"
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
  // Texts of more than 8 KiB are cut (sooner if the buffer is small against the line).
  void write(const AccessRecord& record, MetricsShard& shard);

 private:
  friend class AccessLogWriter;

  const AccessFormat& format_;
  AccessLogWriter& writer_;
  LineRing ring_;
  TimeStamp stamp_;
  const std::uint64_t wake_every_;
  std::uint64_t wake_at_;
};

class AccessLog {
 public:
  // Opens the log and starts its thread, which counts in `shard` and tells `events` when the log
  // cannot be written; both outlive the log. The error is one sentence that names the path.
  static Result<std::unique_ptr<AccessLog>> open(const AccessLogConfig& config, std::size_t cores,
                                                 EventLog& events, MetricsShard& shard);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog();  // close(1 s) if it was not called

  AccessLogCore& core(std::size_t index);
  const AccessLogConfig& config() const { return config_; }

  // Rotation (SIGHUP): opens the path anew. Returns at once; any thread. Lines taken meanwhile
  // go to either file, whole. If the path cannot be opened, the old file stays in use.
  void reopen();
  // How often the writer has answered a reopen(), with or without success.
  std::uint64_t reopens() const;

  // No core writes any more: writes what is buffered, for at most `wait`, and ends the thread.
  // Returns false if lines were lost. Only the first call does anything.
  bool close(Duration wait);

 private:
  AccessLog(AccessLogConfig config, std::shared_ptr<AccessLogWriter> writer);

  AccessLogConfig config_;
  std::shared_ptr<AccessLogWriter> writer_;  // shared with its thread, which may hang in a write
};

}  // namespace doorward::observe
