// The writer against real files, FIFOs and /dev/full. Waits poll for what they wait for.
#include "observe/access_log.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "observe/prometheus.h"

namespace doorward::observe {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    char name[] = "/tmp/doorward_access_log_XXXXXX";
    folder_ = mkdtemp(name);
    config_.path = folder_ / "access.log";
    for (const char* field : {"request_id", "status", "path"}) {
      config_.fields.push_back(find_access_field(field).value());
    }
  }
  ~AccessLogTest() override {
    log_.reset();
    fs::remove_all(folder_);
    ::close(events_fd_);
  }

  void open(std::size_t cores = 1) {
    auto log = AccessLog::open(config_, cores, events_, writer_shard_);
    ASSERT_TRUE(log) << log.error().cause;
    log_ = std::move(*log);
  }

  void write(std::string_view id, std::size_t core = 0, std::string_view path = "/") {
    AccessRecord record;
    record.request_id = id;
    record.status = 200;
    record.path = path;
    log_->core(core).write(record, core_shard_);
  }

  std::string events() const {
    std::string text(static_cast<std::size_t>(lseek(events_fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(events_fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  bool wait_for(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  std::uint64_t counted(std::string_view name) const {
    const std::string text = render_prometheus(metrics_);
    const std::size_t at = text.find("\n" + std::string(name) + " ");
    return std::stoull(text.substr(at + name.size() + 2));
  }

  fs::path folder_;
  AccessLogConfig config_;
  Metrics metrics_;
  MetricsShard& core_shard_ = metrics_.make_shard();
  MetricsShard& writer_shard_ = metrics_.make_shard();
  int events_fd_ = memfd_create("events", MFD_CLOEXEC);
  EventLog events_{events_fd_};
  std::unique_ptr<AccessLog> log_;
};

TEST_F(AccessLogTest, WritesLinesOnClose) {
  open();
  write("a");
  write("b");
  EXPECT_TRUE(log_->close(Duration(5000)));
  EXPECT_EQ(read_file(config_.path),
            "{\"request_id\":\"a\",\"status\":200,\"path\":\"/\"}\n"
            "{\"request_id\":\"b\",\"status\":200,\"path\":\"/\"}\n");
  EXPECT_EQ(counted("doorward_access_log_lines_total"), 2U);
  EXPECT_EQ(counted("doorward_access_log_dropped_total"), 0U);
}

TEST_F(AccessLogTest, WritesSoonWithoutBeingWoken) {
  open();
  write("a");
  EXPECT_TRUE(wait_for([&] { return !read_file(config_.path).empty(); }));
}

TEST_F(AccessLogTest, AppendsToWhatIsThere) {
  std::ofstream(config_.path) << "before\n";
  open();
  write("a");
  EXPECT_TRUE(log_->close(Duration(5000)));
  EXPECT_TRUE(read_file(config_.path).starts_with("before\n{"));
}

TEST_F(AccessLogTest, SaysWhichPathCannotBeOpened) {
  config_.path = folder_ / "missing" / "access.log";
  auto log = AccessLog::open(config_, 1, events_, writer_shard_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().cause,
            "access_log: cannot open " + config_.path + ": No such file or directory");
}

TEST_F(AccessLogTest, FullDiskIsToldOnceAndLinesAreDroppedWhenMemoryIsFull) {
  config_.path = "/dev/full";
  config_.buffer = Bytes{64 << 10};
  open();
  for (int i = 0; i < 5'000; ++i) write(std::to_string(i));
  EXPECT_GT(counted("doorward_access_log_dropped_total"), 0U);
  EXPECT_TRUE(wait_for([&] { return counted("doorward_access_log_errors_total") >= 2; }));
  EXPECT_FALSE(log_->close(Duration(50)));
  EXPECT_EQ(counted("doorward_access_log_dropped_total"), 5'000U) << "what was lost is counted";
  const std::string told = events();
  const std::size_t first = told.find("\"access_log_failed\"");
  ASSERT_NE(first, std::string::npos) << told;
  EXPECT_EQ(told.find("\"access_log_failed\"", first + 1), std::string::npos) << told;
  EXPECT_NE(told.find("No space left on device"), std::string::npos);
  EXPECT_NE(told.find("/dev/full"), std::string::npos);
}

TEST_F(AccessLogTest, LinesKeptThroughAFullDiskGoToTheFileThatReplacesIt) {
  fs::create_symlink("/dev/full", config_.path);
  open();
  write("kept");
  EXPECT_TRUE(wait_for([&] { return counted("doorward_access_log_errors_total") >= 1; }));
  fs::remove(config_.path);
  log_->reopen();
  EXPECT_TRUE(wait_for([&] { return read_file(config_.path).find("kept") != std::string::npos; }));
  EXPECT_TRUE(wait_for([&] { return events().find("access_log_recovered") != std::string::npos; }));
}

TEST_F(AccessLogTest, RotationThatFailsKeepsTheOldFile) {
  open();
  const fs::path moved = folder_ / "moved";
  fs::rename(config_.path, moved);
  fs::create_directory(config_.path);
  log_->reopen();
  EXPECT_TRUE(wait_for([&] { return log_->reopens() == 1; }));
  write("a");
  EXPECT_TRUE(log_->close(Duration(5000)));
  EXPECT_NE(read_file(moved).find("\"a\""), std::string::npos);
  EXPECT_NE(events().find("access_log_reopen_failed"), std::string::npos);
}

// FIFO `path` with a reader that does not read until asked.
TEST_F(AccessLogTest, StalledReaderCostsLinesButNoWaiting) {
  config_.buffer = Bytes{64 << 10};
  ASSERT_EQ(mkfifo(config_.path.c_str(), 0600), 0);
  const int reader = ::open(config_.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  open();
  constexpr int kLines = 10'000;
  for (int i = 0; i < kLines; ++i) write(std::to_string(i));
  const auto dropped = counted("doorward_access_log_dropped_total");
  EXPECT_GT(dropped, 0U);
  std::thread closer([&] { EXPECT_TRUE(log_->close(Duration(20'000))); });
  std::string text;
  char piece[4096];
  for (ssize_t got = 1; got != 0;) {
    got = ::read(reader, piece, sizeof piece);
    if (got > 0) text.append(piece, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EAGAIN)) break;
    if (got < 0) std::this_thread::yield();
    if (static_cast<std::uint64_t>(std::ranges::count(text, '\n')) == kLines - dropped) break;
  }
  closer.join();
  ::close(reader);
  int last = -1;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const int id = std::stoi(nlohmann::json::parse(line)["request_id"].get<std::string>());
    EXPECT_GT(id, last) << "in order";
    last = id;
  }
  EXPECT_EQ(std::ranges::count(text, '\n'), static_cast<std::ptrdiff_t>(kLines - dropped));
}

TEST_F(AccessLogTest, CloseGivesUpAtItsDeadline) {
  ASSERT_EQ(mkfifo(config_.path.c_str(), 0600), 0);
  const int reader = ::open(config_.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  open();
  for (int i = 0; i < 3'000; ++i) write(std::to_string(i));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(log_->close(Duration(100)));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_NE(events().find("access_log_lines_lost"), std::string::npos);
  ::close(reader);
}

TEST_F(AccessLogTest, FifoWithoutAReaderIsRefusedWithTheReason) {
  ASSERT_EQ(mkfifo(config_.path.c_str(), 0600), 0);
  auto log = AccessLog::open(config_, 1, events_, writer_shard_);
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().cause.find("no process reads this FIFO"), std::string::npos);
}

TEST_F(AccessLogTest, TextsThatDoNotFitASmallBufferAreCut) {
  config_.buffer = Bytes{64 << 10};
  open();
  write("a", 0, std::string(8000, '\x01'));
  EXPECT_TRUE(log_->close(Duration(5000)));
  const auto line = nlohmann::json::parse(read_file(config_.path));
  EXPECT_EQ(line["path"], std::string(128, '\x01'));
}

// Several cores write while the file is moved away again and again: every line is in exactly one
// of the files, whole.
TEST_F(AccessLogTest, RotationLosesAndTearsNothing) {
  constexpr int kCores = 3;
  constexpr int kLines = 4'000;
  constexpr int kRotations = 10;
  open(kCores);
  std::vector<std::thread> cores;
  for (int core = 0; core < kCores; ++core) {
    cores.emplace_back([this, core, &shard = metrics_.make_shard()] {
      for (int i = 0; i < kLines; ++i) {
        const std::string id = std::to_string(core) + ":" + std::to_string(i);
        AccessRecord record;
        record.request_id = id;
        log_->core(static_cast<std::size_t>(core)).write(record, shard);
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  for (int i = 0; i < kRotations; ++i) {
    fs::rename(config_.path, folder_ / ("old." + std::to_string(i)));
    log_->reopen();
    ASSERT_TRUE(wait_for([&] { return log_->reopens() == static_cast<std::uint64_t>(i) + 1; }));
  }
  for (std::thread& core : cores) core.join();
  EXPECT_TRUE(log_->close(Duration(20'000)));
  EXPECT_EQ(counted("doorward_access_log_dropped_total"), 0U);
  std::map<std::string, int> seen;
  for (const auto& file : fs::directory_iterator(folder_)) {
    std::istringstream lines(read_file(file.path()));
    for (std::string line; std::getline(lines, line);) {
      ++seen[nlohmann::json::parse(line)["request_id"].get<std::string>()];
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kCores * kLines));
  EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& entry) { return entry.second == 1; }));
}

}  // namespace
}  // namespace doorward::observe
