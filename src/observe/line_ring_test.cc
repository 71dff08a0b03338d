#include "observe/line_ring.h"

#include <cstring>
#include <gtest/gtest.h>
#include <thread>

namespace doorward::observe {
namespace {

bool put(LineRing& ring, std::string_view line) {
  char* to = ring.reserve(line.size());
  if (to == nullptr) return false;
  std::memcpy(to, line.data(), line.size());
  ring.commit(line.size());
  return true;
}

std::string take(LineRing& ring) {
  std::string all;
  for (auto view = ring.readable(); !view.empty(); view = ring.readable()) {
    all += view;
    ring.consume(view.size());
  }
  return all;
}

TEST(LineRing, GivesBackWhatWasPut) {
  LineRing ring(64);
  EXPECT_TRUE(ring.readable().empty());
  EXPECT_TRUE(put(ring, "one\n"));
  EXPECT_TRUE(put(ring, "two\n"));
  EXPECT_EQ(take(ring), "one\ntwo\n");
}

TEST(LineRing, RefusesWhenFullAndTakesAgainAfterReading) {
  LineRing ring(32);
  EXPECT_TRUE(put(ring, std::string(16, 'a')));
  EXPECT_TRUE(put(ring, std::string(16, 'b')));
  EXPECT_FALSE(put(ring, "c"));
  EXPECT_EQ(take(ring), std::string(16, 'a') + std::string(16, 'b'));
  EXPECT_TRUE(put(ring, "c"));
  EXPECT_EQ(take(ring), "c");
}

TEST(LineRing, LinesNeverWrap) {
  LineRing ring(32);
  for (int i = 0; i < 1000; ++i) {
    const std::string line(1 + static_cast<std::size_t>(i) % 13, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(put(ring, line));
    EXPECT_EQ(ring.readable(), line) << "in one piece, at " << i;
    EXPECT_EQ(take(ring), line);
  }
}

TEST(LineRing, ReservationMayBeLargerThanTheLine) {
  LineRing ring(64);
  for (int i = 0; i < 100; ++i) {
    char* to = ring.reserve(32);
    ASSERT_NE(to, nullptr);
    to[0] = 'x';
    ring.commit(1);
    EXPECT_EQ(take(ring), "x");
  }
}

TEST(LineRing, TwoThreadsLoseNothing) {
  constexpr std::uint64_t kLines = 100'000;
  LineRing ring(1000);
  std::thread producer([&ring] {
    for (std::uint64_t i = 0; i < kLines; ++i) {
      const std::string line = std::to_string(i) + '\n';
      while (!put(ring, line)) std::this_thread::yield();
    }
  });
  std::uint64_t next = 0;
  while (next < kLines) {
    const std::string_view view = ring.readable();
    for (std::size_t at = 0; at < view.size();) {
      const std::size_t end = view.find('\n', at);
      ASSERT_NE(end, std::string_view::npos) << "a torn line";
      ASSERT_EQ(view.substr(at, end - at), std::to_string(next));
      ++next;
      at = end + 1;
    }
    ring.consume(view.size());
    if (view.empty()) std::this_thread::yield();
  }
  producer.join();
}

}  // namespace
}  // namespace doorward::observe
