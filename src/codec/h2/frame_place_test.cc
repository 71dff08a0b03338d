#include "codec/h2/frame_place.h"

#include <gtest/gtest.h>

#include "codec/h2/test_peer.h"

namespace doorward::codec::h2 {
namespace {

struct Seen {
  std::vector<std::string> heads;

  void take(FramePlace& place, std::string_view bytes) {
    place.received(bytes, [this](const nghttp2_frame_hd& head) {
      heads.push_back(std::to_string(head.type) + " " + std::to_string(head.stream_id) + " " +
                      std::to_string(head.length));
    });
  }
};

const std::string kPing = Peer::frame(NGHTTP2_PING, 0, 0, "12345678");
const std::string kContent = Peer::frame(NGHTTP2_DATA, 0, 7, std::string(300, 'd'));

TEST(FramePlace, FindsTheHeadsHoweverBytesAreSplit) {
  const std::string all = kPing + kContent + Peer::frame(NGHTTP2_SETTINGS, 0, 0, "") + kPing;
  const std::vector<std::string> expected = {"6 0 8", "0 7 300", "4 0 0", "6 0 8"};
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    FramePlace place(0);
    Seen seen;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      seen.take(place, std::string_view(all).substr(at, piece));
    }
    EXPECT_EQ(seen.heads, expected) << piece;
    EXPECT_FALSE(place.within());
    EXPECT_EQ(place.text(), "");
  }
}

std::string text_after(const std::string& bytes) {
  FramePlace place(0);
  Seen().take(place, bytes);
  EXPECT_EQ(place.within(), !place.text().empty());
  return place.text();
}

TEST(FramePlace, TellsWhereBytesEnd) {
  EXPECT_EQ(text_after(""), "");
  EXPECT_EQ(text_after(kPing + kContent.substr(0, 4)), " after 4 of the 9 bytes of a frame's head");
  EXPECT_EQ(text_after(kContent.substr(0, 12)),
            " within a frame of type DATA on stream 7, after 3 of its 300 bytes");
  EXPECT_EQ(text_after(Peer::frame(0x77, 0, 0, "ab").substr(0, 9)),
            " within a frame of type 0x77, after 0 of its 2 bytes");
}

TEST(FramePlace, AHeaderBlockIsWholeWithItsContinuation) {
  const std::string begun = Peer::frame(NGHTTP2_HEADERS, 0, 1, "abcd");
  EXPECT_EQ(text_after(begun), " within a header block on stream 1");
  EXPECT_EQ(text_after(begun + Peer::frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, "")),
            "");
}

TEST(FramePlace, APrefaceComesFirst) {
  FramePlace place(24);
  Seen seen;
  EXPECT_EQ(place.text(), " within its preface");
  seen.take(place, std::string(20, 'p'));
  EXPECT_TRUE(place.within());
  seen.take(place, std::string(4, 'p') + kPing);
  EXPECT_FALSE(place.within());
  EXPECT_EQ(seen.heads, std::vector<std::string>{"6 0 8"});
}

}  // namespace
}  // namespace doorward::codec::h2
