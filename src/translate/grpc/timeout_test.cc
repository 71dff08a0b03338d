// grpc-timeout: what is read, what is refused, what is written.
#include "translate/grpc/timeout.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::translate::grpc {
namespace {

using namespace std::chrono_literals;

std::string written(Timeout timeout) {
  char text[kTimeoutSize];
  return {text, static_cast<std::size_t>(write_timeout(timeout, text) - text)};
}

TEST(Timeout, EveryUnitIsRead) {
  EXPECT_EQ(parse_timeout("2H"), 2h);
  EXPECT_EQ(parse_timeout("3M"), 3min);
  EXPECT_EQ(parse_timeout("5S"), 5s);
  EXPECT_EQ(parse_timeout("100m"), 100ms);
  EXPECT_EQ(parse_timeout("7u"), 7us);
  EXPECT_EQ(parse_timeout("99999999u"), 99'999'999us);
  EXPECT_EQ(parse_timeout("00000010S"), 10s);
}

TEST(Timeout, NanosecondsAreRoundedUp) {
  EXPECT_EQ(parse_timeout("0n"), 0us);
  EXPECT_EQ(parse_timeout("1n"), 1us);
  EXPECT_EQ(parse_timeout("1000n"), 1us);
  EXPECT_EQ(parse_timeout("1001n"), 2us);
  EXPECT_EQ(parse_timeout("99999999n"), 100'000us);
}

TEST(Timeout, WhatIsAsGoodAsNoneIsTheLongest) {
  EXPECT_EQ(parse_timeout("99999999H"), kLongestTimeout);
  EXPECT_EQ(parse_timeout("99999999M"), kLongestTimeout);
  EXPECT_EQ(parse_timeout("99999999S"), 99'999'999s);
}

TEST(Timeout, AnythingElseIsRefused) {
  for (const std::string_view text :
       {"", "S", "1", "100", "1s", "1h", "1ms", "1 S", " 1S", "1S ", "-1S", "+1S", "1.5S", "0x1S",
        "123456789S", "1000000000n", "S1", "1\xc2\xb5"}) {
    EXPECT_FALSE(parse_timeout(text).has_value()) << text;
  }
  EXPECT_EQ(parse_timeout("1s").error(),
            "grpc-timeout is not one to eight digits and a unit of H, M, S, m, u, n.");
}

TEST(Timeout, IsWrittenInTheFinestUnitThatEightDigitsAllow) {
  EXPECT_EQ(written(0us), "0u");
  EXPECT_EQ(written(1us), "1u");
  EXPECT_EQ(written(99'999'999us), "99999999u");
  EXPECT_EQ(written(100'000'000us), "100000m");
  EXPECT_EQ(written(100'000'999us), "100000m");  // never more than there is
  EXPECT_EQ(written(99'999'999ms), "99999999m");
  EXPECT_EQ(written(100'000'000ms), "100000S");
  EXPECT_EQ(written(100'000'000s), "1666666M");
  EXPECT_EQ(written(kLongestTimeout * 2), written(kLongestTimeout));
}

TEST(Timeout, WhatIsWrittenIsReadAsNoMore) {
  for (std::int64_t micros = 1; micros < kLongestTimeout.count(); micros = micros * 3 + 1) {
    const auto read = parse_timeout(written(Timeout(micros)));
    ASSERT_TRUE(read.has_value());
    EXPECT_LE(read->count(), micros);
    EXPECT_GT(read->count() * 100, micros * 99);
  }
}

}  // namespace
}  // namespace doorward::translate::grpc
