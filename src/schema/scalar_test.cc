// Values with units: what is read, what is refused, and that writing gives what is read back.
#include "schema/scalar.h"

#include <gtest/gtest.h>

namespace doorward::schema {
namespace {

using namespace std::chrono_literals;

template <class T>
std::string refusal(std::string_view text) {
  const auto parsed = ScalarTraits<T>::parse(text);
  return parsed ? "read" : parsed.error();
}

TEST(ScalarBytes, ReadsUnits) {
  const auto bytes = [](std::string_view text) { return ScalarTraits<Bytes>::parse(text).value(); };
  EXPECT_EQ(bytes("512B").count, 512U);
  EXPECT_EQ(bytes("64KiB"), 64_KiB);
  EXPECT_EQ(bytes("1MiB"), 1_MiB);
  EXPECT_EQ(bytes("10MB").count, 10'000'000U);
  EXPECT_EQ(bytes("2kB").count, 2000U);
  EXPECT_EQ(bytes("3GiB"), 3_GiB);
  EXPECT_EQ(bytes("0").count, 0U);
}

TEST(ScalarBytes, RefusesTheRest) {
  EXPECT_EQ(refusal<Bytes>("1024"), "needs a unit: a size is written like \"1024B\"");
  EXPECT_EQ(refusal<Bytes>("99999999TiB"), "is too large");
  for (const std::string_view text : {"", "KiB", "-1B", "1.5MiB", "1 MiB", "1kib", "1MiB "}) {
    EXPECT_EQ(refusal<Bytes>(text), "") << text;
  }
}

TEST(ScalarDuration, ReadsUnits) {
  const auto time = [](std::string_view text) {
    return ScalarTraits<Duration>::parse(text).value();
  };
  EXPECT_EQ(time("5s"), 5s);
  EXPECT_EQ(time("250ms"), 250ms);
  EXPECT_EQ(time("1m"), 1min);
  EXPECT_EQ(time("1h30m"), 90min);
  EXPECT_EQ(time("2d"), 48h);
  EXPECT_EQ(time("0"), 0s);
  EXPECT_EQ(time("0s"), 0s);
}

TEST(ScalarDuration, RefusesTheRest) {
  EXPECT_EQ(refusal<Duration>("5"), "needs a unit: a duration is written like \"5s\"");
  EXPECT_EQ(refusal<Duration>("99999999999999d"), "is too long");
  for (const std::string_view text :
       {"", "s", "-5s", "1.5s", "5 s", "1m1h", "1s1s", "5us", "1h30"}) {
    EXPECT_EQ(refusal<Duration>(text), "") << text;
  }
}

TEST(ScalarRates, ReadAndRefuse) {
  EXPECT_EQ(ScalarTraits<Rate>::parse("100/min").value(), (Rate{100, 1min}));
  EXPECT_EQ(ScalarTraits<Rate>::parse("5/day").value(), (Rate{5, 24h}));
  EXPECT_EQ(refusal<Rate>("100"), "");
  EXPECT_EQ(refusal<Rate>("100B/s"), "");
  EXPECT_EQ(ScalarTraits<ByteRate>::parse("1KiB/s").value().bytes_per_second, 1024U);
  EXPECT_EQ(ScalarTraits<ByteRate>::parse("0").value().bytes_per_second, 0U);
  EXPECT_EQ(refusal<ByteRate>("100/s"), "");
  EXPECT_EQ(refusal<ByteRate>("1KiB/min"), "");
}

TEST(Scalars, WriteWhatTheyRead) {
  for (const std::string_view text : {"0", "512B", "64KiB", "10MB", "1000B"}) {
    const Bytes value = ScalarTraits<Bytes>::parse(text).value();
    EXPECT_EQ(ScalarTraits<Bytes>::parse(ScalarTraits<Bytes>::format(value)), value) << text;
  }
  EXPECT_EQ(ScalarTraits<Bytes>::format({65536}), "64KiB");
  EXPECT_EQ(ScalarTraits<Bytes>::format({1500}), "1500B");
  EXPECT_EQ(ScalarTraits<Duration>::format(90min + 5ms), "1h30m5ms");
  EXPECT_EQ(ScalarTraits<Duration>::format(0s), "0");
  EXPECT_EQ(ScalarTraits<Rate>::format({100, 1min}), "100/min");
  EXPECT_EQ(ScalarTraits<ByteRate>::format({100}), "100B/s");
  EXPECT_EQ(ScalarTraits<double>::format(0.5), "0.5");
  EXPECT_EQ(ScalarTraits<std::int8_t>::format(-5), "-5");
}

TEST(Scalars, Numbers) {
  EXPECT_EQ(ScalarTraits<std::uint8_t>::parse("255").value(), 255);
  EXPECT_EQ(refusal<std::uint8_t>("256"), "must be between 0 and 255");
  EXPECT_EQ(refusal<std::uint8_t>("1e2"), "");
  EXPECT_EQ(refusal<double>("inf"), "");
  EXPECT_EQ(refusal<int>(""), "");
  EXPECT_EQ(refusal<int>("0x10"), "");
}

}  // namespace
}  // namespace doorward::schema
