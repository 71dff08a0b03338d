// What may still come for streams that are over: honest peers with full windows are let alone,
// however they cut their content, and nobody gets more than that again and again.
#include "codec/h2/guard.h"

#include <gtest/gtest.h>

namespace doorward::codec::h2 {
namespace {

constexpr std::uint32_t kStream = 256 * 1024;
constexpr std::uint32_t kConnection = 1024 * 1024;

// So much content of a stream that is over, in frames of `piece` bytes; true when it was too late.
bool content_comes(Guard& guard, std::uint64_t bytes, std::uint64_t piece) {
  bool too_late = false;
  for (std::uint64_t left = bytes; left > 0;) {
    const std::uint64_t size = std::min(left, piece);
    too_late |= guard.too_late(kFrameHead + size);
    left -= size;
  }
  return too_late;
}

TEST(H2Guard, AWholeWindowMayBeLate) {
  for (const std::uint64_t piece : {16'384, 1'000, 10}) {
    Guard guard(kStream, kConnection);
    guard.stream_over(false);
    EXPECT_FALSE(content_comes(guard, kConnection, piece)) << piece;
  }
}

TEST(H2Guard, WindowsThatThePeerHasNotHeardOfDoNotBindIt) {
  Guard guard(16 * 1024, 64 * 1024);
  for (int i = 0; i < 100; ++i) {
    guard.stream_over(false);
    EXPECT_FALSE(content_comes(guard, 65'535, 16'384)) << i;
  }
}

TEST(H2Guard, FourStreamsAtOnceMayBeLateAgainAndAgain) {
  Guard guard(kStream, kConnection);
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 4; ++i) guard.stream_over(false);
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(content_comes(guard, kStream, 1'024)) << round;
  }
}

TEST(H2Guard, WindowsOfAGibibyteAreCounted) {
  constexpr std::uint32_t kGibibyte = 1u << 30;
  Guard guard(kGibibyte, kGibibyte);
  guard.stream_over(false);
  EXPECT_FALSE(guard.too_late(kGibibyte));
  EXPECT_FALSE(guard.too_late(kGibibyte));
  EXPECT_TRUE(guard.too_late(1));
}

TEST(H2Guard, MoreThanWindowsAndHeadsIsTooLate) {
  Guard guard(kStream, kConnection);
  EXPECT_TRUE(content_comes(guard, 2 * kConnection, 16'384));
}

TEST(H2Guard, AStreamThatThePeerEndedLeavesRoomForAWordMore) {
  Guard guard(kStream, kConnection);
  int streams = 0;
  do {
    guard.stream_over(true);
    ++streams;
  } while (!content_comes(guard, kStream, 16'384));
  EXPECT_LE(streams, 8);
}

}  // namespace
}  // namespace doorward::codec::h2
