// Lines as they may be shown: every way to write a secret, and the caret's place behind it.
#include "schema/secret_mask.h"

#include <gtest/gtest.h>

namespace doorward::schema {
namespace {

std::string masked(std::string_view line) { return mask_secrets(line, 1, false).text; }

TEST(SecretMask, HidesTheValueHoweverItIsWritten) {
  EXPECT_EQ(masked("token: abc,def # x"), "token: ***");
  EXPECT_EQ(masked("  token:  \"a\\\"b\"  # x"), "  token:  ***  # x");
  EXPECT_EQ(masked("token: 'it''s' # x"), "token: *** # x");
  EXPECT_EQ(masked("admin: {token: abc, address: nope}"), "admin: {token: ***, address: nope}");
  EXPECT_EQ(masked("{\"token\":\"abc\",\"address\":\"nope\"}"),
            "{\"token\":***,\"address\":\"nope\"}");
  EXPECT_EQ(masked("admin: {token: \"abc"), "admin: {token: ***");
  EXPECT_EQ(masked("token: [abc, def]"), "token: ***");
  EXPECT_EQ(masked("token: &t abc"), "token: ***");
  EXPECT_EQ(masked("token: a, password: b"), "token: ***");
}

TEST(SecretMask, HidesItBehindAMisspeltKey) {
  EXPECT_EQ(masked("tokn: abc"), "tokn: ***");
  EXPECT_EQ(masked("- Token: abc"), "- Token: ***");
}

TEST(SecretMask, LeavesOtherLinesAlone) {
  for (const std::string_view line :
       {"address: \"127.0.0.1:80\"", "services: {token: {endpoints: [\"http://a:1\"]}}",
        "token:", "token: |", "to: /a", "total: 5s", "# the token", ""}) {
    EXPECT_EQ(masked(line), line);
  }
}

TEST(SecretMask, TheColumnKeepsItsPlace) {
  const std::string_view line = "{token: abcdefgh, address: nope}";
  const MaskedLine shown = mask_secrets(line, line.find("nope") + 1, false);
  EXPECT_EQ(shown.text.substr(shown.column - 1), "nope}");
  const MaskedLine inside = mask_secrets(line, line.find("abc") + 3, false);
  EXPECT_EQ(inside.text.substr(inside.column - 1), "***, address: nope}");
  EXPECT_EQ(mask_secrets(line, 2, false).column, 2U);
}

TEST(SecretMask, HidesASecretWhoseKeyIsOnAnotherLine) {
  EXPECT_EQ(mask_secrets("    \"abc\"", 5, true).text, "    ***");
  EXPECT_EQ(mask_secrets("  token:", 3, true).text, "  token:");
}

}  // namespace
}  // namespace doorward::schema
