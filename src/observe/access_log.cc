#include "observe/access_log.h"

#include <cerrno>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <system_error>

#include "observe/access_log_writer.h"

namespace doorward::observe {
namespace {

constexpr std::size_t kLongestText = 8192;
constexpr std::size_t kSmallestBuffer = std::size_t{64} << 10;
constexpr Duration kCloseWait{1000};

}  // namespace

AccessLogCore::AccessLogCore(const AccessFormat& format, AccessLogWriter& writer,
                             std::size_t buffer)
    : format_(format),
      writer_(writer),
      ring_(buffer),
      wake_every_(buffer / 4),
      wake_at_(wake_every_) {}

void AccessLogCore::write(const AccessRecord& record, MetricsShard& shard) {
  std::size_t longest_text = kLongestText;
  std::size_t most = format_.most_bytes(record, longest_text);
  if (most > ring_.capacity() / 4) [[unlikely]] {
    longest_text = ring_.capacity() / 512;
    most = format_.most_bytes(record, longest_text);
  }
  char* line = ring_.reserve(most);
  if (line == nullptr) [[unlikely]] {
    shard.add(Metric::access_log_dropped);
    return;
  }
  const char* end = format_.write(record, stamp_, longest_text, line);
  const std::uint64_t total = ring_.commit(static_cast<std::size_t>(end - line));
  shard.add(Metric::access_log_lines);
  if (total >= wake_at_) [[unlikely]] {
    wake_at_ = total + wake_every_;
    writer_.wake();
  }
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const AccessLogConfig& config, std::size_t cores,
                                                   EventLog& events, MetricsShard& shard) {
  auto file = LogFile::open(config.path);
  if (!file) {
    file.error().cause = fmt::format("access_log: {}", file.error().cause);
    return Failure(file.error());
  }
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) return system_failure(errno, "access_log: eventfd");
  auto writer =
      std::make_shared<AccessLogWriter>(config.path, AccessFormat(config.fields, config.mask_query),
                                        std::move(*file), wake_fd, events, shard);
  writer->add_cores(cores,
                    std::max(static_cast<std::size_t>(config.buffer.count), kSmallestBuffer));
  try {
    AccessLogWriter::start(writer);
  } catch (const std::system_error& error) {
    return system_failure(error.code().value(), "access_log: start its thread");
  }
  return std::unique_ptr<AccessLog>(new AccessLog(config, std::move(writer)));
}

AccessLog::AccessLog(AccessLogConfig config, std::shared_ptr<AccessLogWriter> writer)
    : config_(std::move(config)), writer_(std::move(writer)) {}

AccessLog::~AccessLog() { close(kCloseWait); }

AccessLogCore& AccessLog::core(std::size_t index) { return writer_->core(index); }
void AccessLog::reopen() { writer_->reopen(); }
std::uint64_t AccessLog::reopens() const { return writer_->reopens(); }
bool AccessLog::close(Duration wait) { return writer_->close(wait); }

}  // namespace doorward::observe
