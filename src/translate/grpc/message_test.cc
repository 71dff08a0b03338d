// grpc-message: what is escaped.
#include "translate/grpc/message.h"

#include <gtest/gtest.h>

#include "text/percent.h"

namespace doorward::translate::grpc {
namespace {

TEST(Message, PrintableTextStaysAsItIs) {
  Arena arena;
  const std::string_view text =
      "No route matches this request. (no_route) ~!\"#$&'+,:;<=>?@[]^`{|}";
  EXPECT_EQ(encode_message(text, arena).data(), text.data());
  EXPECT_EQ(encode_message("", arena), "");
}

TEST(Message, OtherBytesAndPercentAreEscaped) {
  Arena arena;
  EXPECT_EQ(encode_message("50%", arena), "50%25");
  EXPECT_EQ(encode_message("a\r\nb\tc", arena), "a%0D%0Ab%09c");
  EXPECT_EQ(encode_message("\xc3\xa9", arena), "%C3%A9");
  EXPECT_EQ(encode_message(std::string_view("\0\x7f\xff", 3), arena), "%00%7F%FF");
}

TEST(Message, EveryByteIsReadBack) {
  Arena arena;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string_view encoded = encode_message(all, arena);
  EXPECT_EQ(text::percent_decode(encoded, text::Plus::itself, arena), all);
  for (const char c : encoded) EXPECT_TRUE(c >= ' ' && c <= '~');
}

}  // namespace
}  // namespace doorward::translate::grpc
