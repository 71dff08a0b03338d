#include "observe/event_log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace doorward::observe {
namespace {

// A log into memory with a clock that stands still unless moved.
class EventLogTest : public testing::Test {
 protected:
  ~EventLogTest() override { ::close(fd_); }

  std::vector<nlohmann::json> lines() const {
    std::string text(static_cast<std::size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    std::vector<nlohmann::json> lines;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
      end = text.find('\n', at);
      lines.push_back(nlohmann::json::parse(text.substr(at, end - at)));
    }
    return lines;
  }

  int fd_ = memfd_create("events", MFD_CLOEXEC);
  WallTime now_{std::chrono::seconds(1'700'000'000)};
  EventLog log_{fd_, Level::info, [this] { return now_; }};
};

TEST_F(EventLogTest, WritesOneJsonLineWithItsFields) {
  const std::vector<std::string> errors = {"a \"b\"", "c"};
  log_.info("reload_failed", {{"errors", std::span(errors)},
                              {"n", 7},
                              {"big", std::uint64_t{1} << 63},
                              {"ok", false},
                              {"ratio", 0.5},
                              {"hostile", "x\n\xff"}});
  const auto line = lines().at(0);
  EXPECT_EQ(line["time"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["event"], "reload_failed");
  EXPECT_EQ(line["errors"], nlohmann::json(errors));
  EXPECT_EQ(line["n"], 7);
  EXPECT_EQ(line["big"], std::uint64_t{1} << 63);
  EXPECT_EQ(line["ok"], false);
  EXPECT_EQ(line["ratio"], 0.5);
  EXPECT_EQ(line["hostile"], "x\n\xef\xbf\xbd");
}

TEST_F(EventLogTest, LevelsBelowTheLeastAreSilent) {
  log_.debug("a");
  log_.set_level(Level::error);
  log_.warning("b");
  log_.error("c");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["event"], "c");
}

TEST_F(EventLogTest, SameEventIsToldOnceASecondWithACount) {
  for (int i = 0; i < 10'000; ++i) log_.warning("connect_failed", {{"endpoint", "a:1"}});
  log_.warning("connect_failed", {{"endpoint", "b:1"}});
  EXPECT_EQ(lines().size(), 2U);
  now_ += std::chrono::seconds(1);
  log_.warning("connect_failed", {{"endpoint", "a:1"}});
  ASSERT_EQ(lines().size(), 3U);
  EXPECT_EQ(lines()[2]["repeated"], 9'999);
  EXPECT_FALSE(lines()[0].contains("repeated"));
}

TEST_F(EventLogTest, TickTellsTheLastRepetitions) {
  log_.error("x");
  log_.error("x");
  log_.tick();
  EXPECT_EQ(lines().size(), 1U);
  now_ += std::chrono::seconds(2);
  log_.tick();
  log_.tick();
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines()[1]["repeated"], 1);
}

TEST_F(EventLogTest, ManyDifferentEventsAreBounded) {
  for (int i = 0; i < 10'000; ++i) log_.error("x", {{"n", i}});
  const std::size_t told = lines().size();
  EXPECT_LT(told, 1000U);
  now_ += std::chrono::seconds(2);
  log_.tick();
  ASSERT_EQ(lines().size(), told + 1);
  EXPECT_EQ(lines().back()["event"], "events_left_out");
  EXPECT_EQ(lines().back()["count"], 10'000 - told);
}

TEST_F(EventLogTest, ClockSetBackDoesNotSilence) {
  log_.error("x");
  now_ -= std::chrono::hours(1);
  log_.error("x");
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(EventLogTest, ThreadsDoNotMixTheirLines) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 50; ++i) log_.info("x", {{"thread", t}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines().size(), 200U);
}

TEST(EventLog, ParsesLevels) {
  EXPECT_EQ(parse_level("debug"), Level::debug);
  EXPECT_EQ(parse_level("warn"), Level::warning);
  EXPECT_EQ(parse_level("warning"), Level::warning);
  EXPECT_FALSE(parse_level("loud"));
}

TEST_F(EventLogTest, AScanDoesNotPushOutOtherEvents) {
  for (int i = 0; i < 1000; ++i) {
    const std::string client = "192.0.2." + std::to_string(i);
    log_.info(i % 2 == 0 ? "tls_handshake_failed" : "proxy_header_refused", {{"client", client}});
  }
  log_.info("listening");
  ASSERT_EQ(lines().size(), 11U);
  EXPECT_EQ(lines().back()["event"], "listening");
  now_ += std::chrono::seconds(1);
  log_.tick();
  ASSERT_EQ(lines().size(), 13U);
  EXPECT_EQ(lines()[11]["event"], "events_left_out");
  EXPECT_EQ(lines()[11]["of"], "tls_handshake_failed");
  EXPECT_EQ(lines()[11]["count"], 495);
  EXPECT_EQ(lines()[12]["of"], "proxy_header_refused");
  log_.info("tls_handshake_failed", {{"client", "192.0.2.1"}});
  EXPECT_EQ(lines().size(), 14U);
}

}  // namespace
}  // namespace doorward::observe
