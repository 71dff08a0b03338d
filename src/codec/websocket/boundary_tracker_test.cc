// Where frames end, in pieces of every size, and when the tracker gives up.
#include "codec/websocket/boundary_tracker.h"

#include <gtest/gtest.h>
#include <vector>

#include "codec/websocket/test_frames.h"

namespace doorward::codec::websocket {
namespace {

TEST(BoundaryTracker, IsAtABoundaryOnlyBetweenFrames) {
  const std::vector<std::string> frames = {
      from_client(1, "hello", false), from_client(9, ""), from_client(0, std::string(126, 'a')),
      from_client(2, std::string(70'000, 'b')), from_client(2, "")};
  BoundaryTracker tracker(Sender::client);
  for (const std::string& one : frames) {
    for (std::size_t i = 0; i < one.size(); ++i) {
      ASSERT_TRUE(i > 0 || tracker.at_boundary());
      tracker.pass(std::string_view(one).substr(i, 1));
      ASSERT_EQ(tracker.at_boundary(), i + 1 == one.size()) << i;
    }
  }
}

TEST(BoundaryTracker, TakesOneFrameAtATime) {
  const std::string first = from_server(1, "one");
  const std::string second = from_server(2, std::string(300, 'x'));
  const std::string bytes = first + second + second.substr(0, 3);
  for (std::size_t head = 0; head <= first.size(); ++head) {
    BoundaryTracker tracker(Sender::server);
    tracker.pass(std::string_view(bytes).substr(0, head));
    std::string_view rest = std::string_view(bytes).substr(head);
    if (head < first.size()) EXPECT_EQ(tracker.pass_frame(rest), first.substr(head));
    EXPECT_EQ(tracker.pass_frame(rest), second);
    EXPECT_TRUE(tracker.at_boundary());
    EXPECT_EQ(tracker.pass_frame(rest), second.substr(0, 3));
    EXPECT_FALSE(tracker.at_boundary());
    EXPECT_TRUE(rest.empty());
  }
}

TEST(BoundaryTracker, KnowsACloseFrameOnceItIsWhole) {
  const std::string close = from_server(8, close_body(1000));
  BoundaryTracker tracker(Sender::server);
  tracker.pass(close.substr(0, 3));
  EXPECT_FALSE(tracker.closed());
  tracker.pass(close.substr(3));
  EXPECT_TRUE(tracker.closed());
  tracker.pass("whatever follows");
  EXPECT_TRUE(tracker.closed());
}

TEST(BoundaryTracker, ReadsTheCodeOfACloseFrame) {
  const std::string bytes = from_client(1, "hello") + from_client(8, close_body(4321) + "why");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    BoundaryTracker tracker(Sender::client);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      tracker.pass(std::string_view(bytes).substr(at, piece));
    }
    EXPECT_TRUE(tracker.closed());
    EXPECT_EQ(tracker.close_code(), 4321u) << piece;
  }
  BoundaryTracker tracker(Sender::server);
  tracker.pass(from_server(8, ""));
  EXPECT_TRUE(tracker.closed());
  EXPECT_EQ(tracker.close_code(), 1005u);
}

TEST(BoundaryTracker, LeavesReservedBitsToExtensions) {
  BoundaryTracker tracker(Sender::server);
  tracker.pass(frame({.payload = "a", .reserved = 7}));
  EXPECT_TRUE(tracker.at_boundary());
}

TEST(BoundaryTracker, GivesUpOnWhatIsNoFrame) {
  for (const std::string& bytes :
       {from_client(1, "a"), frame({.opcode = 3}), from_server(9, "", false),
        from_server(9, std::string(126, 'a')), frame({.payload = "a", .length_bytes = 2}),
        frame({.length_bytes = 8, .announced = std::uint64_t{1} << 63}),
        std::string("GET / HTTP/1.1\r\n\r\n")}) {
    BoundaryTracker tracker(Sender::server);
    std::string_view rest = bytes;
    std::size_t size = tracker.pass_frame(rest).size();
    while (!rest.empty()) size += tracker.pass_frame(rest).size();
    EXPECT_EQ(size, bytes.size());  // it passes all the same
    EXPECT_FALSE(tracker.tracks());
    EXPECT_FALSE(tracker.at_boundary());
  }
}

}  // namespace
}  // namespace doorward::codec::websocket
