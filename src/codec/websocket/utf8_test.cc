// Which bytes are text: the edges of RFC 3629's table, in any alignment, masked or not.
#include "codec/websocket/utf8.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::codec::websocket {
namespace {

enum class Is { text, begun, none };

Is judge(std::string_view bytes, std::size_t piece) {
  Utf8 utf8;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    if (!utf8.take(part)) return Is::none;
    bytes.remove_prefix(part.size());
  }
  return utf8.complete() ? Is::text : Is::begun;
}

// Behind `lead` bytes of ASCII, so that it lies anywhere in a word.
Is judge(std::string_view bytes) {
  const Is whole = judge(bytes, bytes.size() + 1);
  for (std::size_t lead = 0; lead < 20; ++lead) {
    const std::string text = std::string(lead, 'a') + std::string(bytes);
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      EXPECT_EQ(judge(text, piece), whole) << lead << " " << piece;
    }
    if (whole == Is::text) EXPECT_EQ(judge(text + std::string(lead, 'b'), 1000), Is::text);
  }
  return whole;
}

TEST(Utf8, TakesAllThatIsText) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("\0", 1), std::string_view("\x7f"),
        std::string_view("\xc2\x80"), std::string_view("\xdf\xbf"),
        std::string_view("\xe0\xa0\x80"), std::string_view("\xed\x9f\xbf"),
        std::string_view("\xee\x80\x80"), std::string_view("\xef\xbf\xbf"),
        std::string_view("\xf0\x90\x80\x80"), std::string_view("\xf4\x8f\xbf\xbf"),
        std::string_view("Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"),
        std::string_view("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5")}) {
    EXPECT_EQ(judge(text), Is::text) << text;
  }
}

TEST(Utf8, RefusesAllThatIsNone) {
  for (const std::string_view bytes :
       {"\x80", "\xbf", "\xc0", "\xc1\x80", "\xf5", "\xfe", "\xff", "\xc2\x7f", "\xc2\xc0",
        "\xe0\x9f", "\xe0\xa0\x7f", "\xed\xa0", "\xed\xbf", "\xe1\x80\xc0", "\xf0\x8f", "\xf4\x90",
        "\xf1\x80\x80\x7f", "\xc2\x80\x80"}) {
    EXPECT_EQ(judge(bytes), Is::none) << bytes;
  }
}

TEST(Utf8, KnowsWhenACharacterIsUnfinished) {
  for (const std::string_view bytes :
       {"\xc2", "\xe1", "\xe1\x80", "\xf1", "\xf1\x80", "\xf1\x80\x80"}) {
    EXPECT_EQ(judge(bytes), Is::begun);
  }
}

TEST(Utf8, TheMaskGoesOnWhereItWas) {
  const Mask mask{0x80, 0x7f, 0xff, 0x01};
  const std::string text = "plain ascii for some words \xe1\xbd\xb9 and on\xf0\x90\x80\x80!";
  std::string masked = text;
  for (std::size_t i = 0; i < masked.size(); ++i) {
    masked[i] = static_cast<char>(static_cast<unsigned char>(masked[i]) ^ mask[i & 3]);
  }
  for (std::size_t piece = 1; piece <= masked.size(); ++piece) {
    Utf8 utf8;
    for (std::size_t at = 0; at < masked.size(); at += piece) {
      ASSERT_TRUE(utf8.take(std::string_view(masked).substr(at, piece), mask, at)) << piece;
    }
    EXPECT_TRUE(utf8.complete());
  }
}

}  // namespace
}  // namespace doorward::codec::websocket
