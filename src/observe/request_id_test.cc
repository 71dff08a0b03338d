#include "observe/request_id.h"

#include <gtest/gtest.h>
#include <regex>
#include <unordered_set>

namespace doorward::observe {
namespace {

TEST(RequestId, UuidIsVersionFourAndUnique) {
  static const std::regex kForm(
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  Random random;
  std::unordered_set<std::string> seen;
  for (int i = 0; i < 100'000; ++i) {
    std::string id(kUuidLength, '?');
    write_uuid(random, id.data());
    if (i < 1000) EXPECT_TRUE(std::regex_match(id, kForm)) << id;
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(RequestId, UuidUsesAllOtherBits) {
  Random random;
  std::string any(kUuidLength, '\0');
  for (int i = 0; i < 2000; ++i) {
    char id[kUuidLength];
    write_uuid(random, id);
    for (std::size_t k = 0; k < kUuidLength; ++k) any[k] |= static_cast<char>(id[k] == 'f');
  }
  for (std::size_t k = 0; k < kUuidLength; ++k) {
    const bool fixed = k == 8 || k == 13 || k == 14 || k == 18 || k == 19 || k == 23;
    EXPECT_EQ(any[k], fixed ? 0 : 1) << k;
  }
}

TEST(RequestId, HexIsThirtyTwoDigitsAndUnique) {
  static const std::regex kForm("[0-9a-f]{32}");
  Random random;
  std::unordered_set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    std::string id(kHexIdLength, '?');
    write_hex_id(random, id.data());
    if (i < 1000) EXPECT_TRUE(std::regex_match(id, kForm)) << id;
    EXPECT_TRUE(seen.insert(id).second);
  }
}

}  // namespace
}  // namespace doorward::observe
