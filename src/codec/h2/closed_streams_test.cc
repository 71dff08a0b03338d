// What is known of streams that have ended, and of what it must not be too sure.
#include "codec/h2/closed_streams.h"

#include <gtest/gtest.h>

namespace doorward::codec::h2 {
namespace {

using Fate = ClosedStreams::Fate;

TEST(ClosedStreams, TellsHowAStreamEnded) {
  ClosedStreams closed;
  closed.add(1, false);
  closed.add(5, true);
  EXPECT_EQ(closed.fate(1), Fate::ended);
  EXPECT_EQ(closed.fate(5), Fate::reset_here);
  EXPECT_EQ(closed.fate(3), Fate::never_opened);
}

// A download may outlive dozens of streams that were opened after it.
TEST(ClosedStreams, ForgottenOnesAreNotTakenForNeverOpened) {
  ClosedStreams closed;
  for (std::int32_t stream = 3; stream < 83; stream += 2) closed.add(stream, false);
  closed.add(1, false);
  EXPECT_EQ(closed.fate(1), Fate::ended);
  EXPECT_EQ(closed.fate(3), Fate::unknown);
  EXPECT_EQ(closed.fate(81), Fate::ended);
  EXPECT_EQ(closed.fate(83), Fate::never_opened);
}

}  // namespace
}  // namespace doorward::codec::h2
