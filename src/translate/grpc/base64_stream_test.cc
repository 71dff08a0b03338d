// Base64 in pieces cut at every byte, with segments that end anywhere.
#include "translate/grpc/base64_stream.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/random.h"

namespace doorward::translate::grpc {
namespace {

// "!" when it is no base64, "…" behind what has no end.
std::string decoded(const std::vector<std::string_view>& pieces) {
  Base64Decoder decoder;
  std::string all;
  for (const std::string_view piece : pieces) {
    std::string out(Base64Decoder::most(piece.size()), '\0');
    const char* const end = decoder.decode(piece, out.data());
    if (end == nullptr) return "!";
    all.append(out.data(), static_cast<std::size_t>(end - out.data()));
  }
  return decoder.at_end() ? all : all + "…";
}

std::string decoded_in_all_cuts(std::string_view text) {
  const std::string whole = decoded({text});
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(decoded({text.substr(0, i), text.substr(i)}), whole) << text << " cut at " << i;
    single.push_back(text.substr(i, 1));
  }
  EXPECT_EQ(decoded(single), whole) << text;
  return whole;
}

TEST(Base64Decoder, ReadsWhatOneSegmentSays) {
  EXPECT_EQ(decoded_in_all_cuts(""), "");
  EXPECT_EQ(decoded_in_all_cuts("Zg=="), "f");
  EXPECT_EQ(decoded_in_all_cuts("Zm8="), "fo");
  EXPECT_EQ(decoded_in_all_cuts("Zm9v"), "foo");
  EXPECT_EQ(decoded_in_all_cuts("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decoded_in_all_cuts("+/8A"), std::string("\xfb\xff\0", 3));
}

TEST(Base64Decoder, ReadsPaddedSegmentsBehindEachOther) {
  EXPECT_EQ(decoded_in_all_cuts("Zg==Zg=="), "ff");
  EXPECT_EQ(decoded_in_all_cuts("Zm8=Zm9vZg==YmFy"), "fofoofbar");
}

TEST(Base64Decoder, RefusesOtherCharactersAndWrongPadding) {
  for (const std::string_view text : {"Zm9v\n", "Zm 9", "Zm9-", "Zm9_", "=", "Z=", "Z===", "Zg=v",
                                      "Zg===", "Zm8==", "Zm9v=", "\xc3\xa9", "Zm9v===="}) {
    EXPECT_EQ(decoded_in_all_cuts(text), "!") << text;
  }
}

TEST(Base64Decoder, KnowsThatTheEndIsMissing) {
  EXPECT_EQ(decoded_in_all_cuts("Z"), "…");
  EXPECT_EQ(decoded_in_all_cuts("Zm9vYg"), "foo…");
  EXPECT_EQ(decoded_in_all_cuts("Zg="), "f…");
  EXPECT_EQ(decoded_in_all_cuts("Zm8"), "…");
}

std::string encoded(std::string_view bytes, std::size_t piece, bool flush) {
  Base64Encoder encoder;
  std::string all;
  for (bool last = bytes.empty(); !last;) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    last = bytes.empty();
    std::string out(Base64Encoder::most(part.size()), '\0');
    const char* const end = encoder.encode(part, flush || last, out.data());
    all.append(out.data(), static_cast<std::size_t>(end - out.data()));
  }
  return all;
}

TEST(Base64Encoder, PadsOnlyWhereItIsFlushed) {
  EXPECT_EQ(encoded("foobar", 1, false), "Zm9vYmFy");
  EXPECT_EQ(encoded("fooba", 2, false), "Zm9vYmE=");
  EXPECT_EQ(encoded("foob", 3, false), "Zm9vYg==");
  EXPECT_EQ(encoded("foobar", 4, true), "Zm9vYg==YXI=");
  EXPECT_EQ(encoded("foo", 1, true), "Zg==bw==bw==");
}

TEST(Base64Encoder, FlushingNothingWritesNothing) {
  Base64Encoder encoder;
  char room[4];
  EXPECT_EQ(encoder.encode({}, true, room), room);
}

TEST(Base64, WhatIsEncodedIsDecoded) {
  Random random(11);
  for (std::size_t size = 0; size < 40; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random.below(256));
    for (std::size_t piece = 1; piece <= size + 1; ++piece) {
      EXPECT_EQ(decoded_in_all_cuts(encoded(bytes, piece, false)), bytes);
      EXPECT_EQ(decoded({encoded(bytes, piece, true)}), bytes);
    }
  }
}

}  // namespace
}  // namespace doorward::translate::grpc
