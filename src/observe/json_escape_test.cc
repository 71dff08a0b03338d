#include "observe/json_escape.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/random.h"

namespace doorward::observe {
namespace {

std::string written(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

TEST(JsonEscape, KeepsPlainTextAndValidUtf8) {
  for (const std::string_view text : {"", "a", "GET", "/orders/7", "exactly sixteen!",
                                      "longer than sixteen bytes of text", "grüße", "日本", "😀"}) {
    EXPECT_EQ(written(text), '"' + std::string(text) + '"');
  }
}

TEST(JsonEscape, EscapesQuotesAndControls) {
  EXPECT_EQ(written("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(written("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(written(std::string_view("\0\x1f", 2)), R"("\u0000\u001f")");
}

TEST(JsonEscape, ReplacesWhatIsNotUtf8) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(written("a\xff"), "\"a" + bad + '"');
  EXPECT_EQ(written("\xc0\xaf"), '"' + bad + bad + '"') << "overlong slash";
  EXPECT_EQ(written("\xed\xa0\x80"), '"' + bad + bad + bad + '"') << "surrogate";
  EXPECT_EQ(written("\xf4\x90\x80\x80"), '"' + bad + bad + bad + bad + '"') << "above U+10FFFF";
  EXPECT_EQ(written("\xe2\x82"), '"' + bad + bad + '"') << "cut short";
}

TEST(JsonEscape, FindsASpecialByteAtEveryPlace) {
  for (std::size_t size = 1; size < 70; ++size) {
    const std::string plain(size, 'x');
    EXPECT_TRUE(is_plain_json(plain));
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : {'"', '\\', '\0', '\x1f', '\x80', '\xff'}) {
        std::string text = plain;
        text[at] = c;
        EXPECT_FALSE(is_plain_json(text)) << size << ' ' << at;
      }
      for (const char c : {' ', '!', '#', '[', ']', '~', '\x7f'}) {
        std::string text = plain;
        text[at] = c;
        EXPECT_TRUE(is_plain_json(text)) << size << ' ' << at;
      }
    }
  }
}

TEST(JsonEscape, AnyBytesGiveValidJsonWithinTheRoomPromised) {
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random.below(60), '\0');
    for (char& c : text) c = static_cast<char>(random.below(random.below(2) == 0 ? 256 : 48));
    const std::string json = written(text);
    EXPECT_TRUE(nlohmann::json::accept(json)) << json;
    EXPECT_LE(json.size(), text.size() * kMostEscaped + 2);
  }
}

}  // namespace
}  // namespace doorward::observe
