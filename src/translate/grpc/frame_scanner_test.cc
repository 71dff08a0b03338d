// Messages found in pieces cut at every byte.
#include "translate/grpc/frame_scanner.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::translate::grpc {
namespace {

std::string frame(char flags, std::string_view message) {
  std::string out(1, flags);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(message.size() >> shift);
  return out.append(message);
}

TEST(FrameScanner, FindsMessagesHoweverTheyAreCut) {
  const std::string body = frame(0, "hello") + frame(1, "") + frame(0, std::string(300, 'x'));
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (const std::size_t second : {first, first + 1, first + 6}) {
      const std::size_t cut = std::min(second, body.size());
      FrameScanner scanner;
      EXPECT_TRUE(scanner.between());
      EXPECT_TRUE(scanner.scan(body.substr(0, first)));
      EXPECT_TRUE(scanner.scan(body.substr(first, cut - first)));
      EXPECT_TRUE(scanner.scan(body.substr(cut)));
      EXPECT_TRUE(scanner.between());
      EXPECT_EQ(scanner.messages(), 3U);
    }
  }
}

TEST(FrameScanner, KnowsWhereItIsAfterEveryByte) {
  const std::string body = frame(0, "ab") + frame(0, "") + frame(0, "c");
  FrameScanner scanner;
  std::string between;
  for (const char c : body) {
    EXPECT_TRUE(scanner.scan({&c, 1}));
    between += scanner.between() ? '|' : '.';
  }
  EXPECT_EQ(between, "......|....|.....|");
}

TEST(FrameScanner, FlagsBeyondCompressedAreNoMessage) {
  for (int flags = 2; flags < 256; ++flags) {
    FrameScanner scanner;
    EXPECT_TRUE(scanner.scan(frame(0, "x")));
    EXPECT_FALSE(scanner.scan(frame(static_cast<char>(flags), "x")));
    EXPECT_FALSE(scanner.between());
    EXPECT_FALSE(scanner.scan(frame(0, "x"))) << "what follows is not read as messages again";
  }
}

TEST(FrameScanner, ALengthOfFourGigabytesIsFollowed) {
  FrameScanner scanner;
  EXPECT_TRUE(scanner.scan(std::string("\0\xff\xff\xff\xff", 5)));
  EXPECT_TRUE(scanner.scan(std::string(1000, '\x80')));
  EXPECT_FALSE(scanner.between());
  EXPECT_EQ(scanner.messages(), 0U);
}

}  // namespace
}  // namespace doorward::translate::grpc
