// ChunkDecoder: whole and split input give the same content, trailers and verdicts.
#include "codec/h1/chunk_decoder.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::codec::h1 {
namespace {

struct Outcome {
  ChunkStep step = ChunkStep::need_more;
  std::string content, trailers, left;
  Refusal refusal = Refusal::none;
  bool operator==(const Outcome&) const = default;
};

// Feeds `bytes` in pieces of `piece`; 0: at once.
Outcome decode(std::string_view bytes, std::size_t piece, const ChunkLimits& limits = {}) {
  Arena arena;
  ChunkDecoder decoder(arena, limits);
  Outcome result;
  while (result.step == ChunkStep::need_more && !bytes.empty()) {
    std::string part(bytes.substr(0, piece == 0 ? bytes.size() : piece));
    bytes.remove_prefix(part.size());
    std::string_view rest = part;
    std::string_view data;
    while ((result.step = decoder.next(rest, data)) == ChunkStep::data) result.content += data;
    if (result.step == ChunkStep::need_more) {
      EXPECT_TRUE(rest.empty());
    }
    if (result.step == ChunkStep::done) result.left = std::string(rest) + std::string(bytes);
  }
  result.refusal = decoder.refusal();
  if (result.step == ChunkStep::done) {
    for (const http::Header& trailer : decoder.trailers()) {
      result.trailers += std::string(trailer.name) + "=" + std::string(trailer.value) + ";";
    }
  }
  return result;
}

Outcome decode_all_ways(std::string_view bytes, const ChunkLimits& limits = {}) {
  const Outcome whole = decode(bytes, 0, limits);
  for (std::size_t piece : {1, 2, 3, 5, 7}) {
    EXPECT_EQ(decode(bytes, piece, limits), whole) << bytes << " in pieces of " << piece;
  }
  return whole;
}

TEST(ChunkDecoder, GivesContentAndLeavesTheNextMessage) {
  const Outcome out = decode_all_ways("4\r\nWiki\r\n00A;x=\"y;\"\r\n0123456789\r\n0\r\n\r\nGET /");
  EXPECT_EQ(out.step, ChunkStep::done);
  EXPECT_EQ(out.content, "Wiki0123456789");
  EXPECT_EQ(out.left, "GET /");
}

TEST(ChunkDecoder, GivesTrailersAndDropsThoseThatOnlyAHeadMayCarry) {
  const Outcome out = decode_all_ways(
      "1\r\na\r\n0\r\nETag: \"x\"\r\nAuthorization: secret\r\nX-Sum:  9 \r\n\r\nrest");
  EXPECT_EQ(out.step, ChunkStep::done);
  EXPECT_EQ(out.trailers, "ETag=\"x\";X-Sum=9;");
  EXPECT_EQ(out.left, "rest");
}

TEST(ChunkDecoder, TrailersGrowBeyondTheFirstRoom) {
  std::string bytes = "0\r\n";
  for (int i = 0; i < 20; ++i)
    bytes += "X-" + std::to_string(i) + ": " + std::string(60, 'v') + "\r\n";
  const Outcome out = decode_all_ways(bytes + "\r\n");
  EXPECT_EQ(out.step, ChunkStep::done);
  EXPECT_NE(out.trailers.find("X-19=vvv"), std::string::npos);
}

struct Bad {
  std::string_view bytes;
  Refusal refusal;
};

TEST(ChunkDecoder, RefusesWhatIsAmbiguous) {
  const Bad cases[] = {
      {"\r\n", Refusal::bad_chunk_size},
      {";x\r\n", Refusal::bad_chunk_size},
      {" 5\r\nhello\r\n", Refusal::bad_chunk_size},
      {"5 \r\nhello\r\n", Refusal::bad_chunk_size},
      {"5\t;x\r\n", Refusal::bad_chunk_size},
      {"0x5\r\nhello\r\n", Refusal::bad_chunk_size},
      {"+5\r\nhello\r\n", Refusal::bad_chunk_size},
      {"-5\r\nhello\r\n", Refusal::bad_chunk_size},
      {"5_0\r\n", Refusal::bad_chunk_size},
      {"g\r\n", Refusal::bad_chunk_size},
      {"8000000000000000\r\n", Refusal::chunk_size_overflow},
      {"ffffffffffffffff\r\n", Refusal::chunk_size_overflow},
      {"00000000000000005\r\nhello\r\n", Refusal::chunk_size_overflow},
      {"10000000000000000\r\n", Refusal::chunk_size_overflow},
      {"5\nhello\r\n", Refusal::bad_chunk_end},
      {"5\rhello\r\n", Refusal::bad_chunk_end},
      {"5\r\r\nhello\r\n", Refusal::bad_chunk_end},
      {"5;a\nhello", Refusal::bad_chunk_end},
      {"5;a\rb\r\n", Refusal::bad_chunk_end},
      {std::string_view("5;a\0\r\n", 6), Refusal::bad_chunk_extension},
      {"5;\x7f\r\n", Refusal::bad_chunk_extension},
      {"5\r\nhelloX\r\n", Refusal::bad_chunk_end},
      {"5\r\nhello\n0\r\n\r\n", Refusal::bad_chunk_end},
      {"5\r\nhello\r0\r\n\r\n", Refusal::bad_chunk_end},
      {"5\r\nhello\r\n\r\n", Refusal::bad_chunk_size},
      {"0\n\n", Refusal::bad_chunk_end},
      {"0\r\n\n", Refusal::bare_lf},
      {"0\r\nX: y\n\r\n", Refusal::bare_lf},
      {"0\r\n\rX", Refusal::bare_cr},
      {"0\r\n X: y\r\n\r\n", Refusal::leading_whitespace},
      {"0\r\nX: y\r\n z\r\n\r\n", Refusal::obs_fold},
      {"0\r\nX : y\r\n\r\n", Refusal::space_before_colon},
      {"0\r\nX\r\n\r\n", Refusal::missing_colon},
      {"0\r\n: y\r\n\r\n", Refusal::empty_header_name},
      {"0\r\nContent-Length: 5\r\n\r\n", Refusal::forbidden_trailer},
      {"0\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::forbidden_trailer},
      {"0\r\nA: b\r\nHost: evil\r\n\r\n", Refusal::forbidden_trailer},
      {"0\r\nConnection: close\r\n\r\n", Refusal::forbidden_trailer},
      {"0\r\nContent_Length: 5\r\n\r\n", Refusal::ambiguous_header_name},
  };
  for (const Bad& bad : cases) {
    const Outcome out = decode_all_ways(bad.bytes);
    EXPECT_EQ(out.step, ChunkStep::refused) << bad.bytes;
    EXPECT_EQ(to_string(out.refusal), to_string(bad.refusal)) << bad.bytes;
  }
}

TEST(ChunkDecoder, LimitsHoldToTheByte) {
  ChunkLimits limits{.extension_bytes = 6, .trailer_bytes = 10, .trailer_count = 2};
  EXPECT_EQ(decode_all_ways("1;abc\r\nx\r\n1;d\te\r\ny\r\n0\r\n\r\n", limits).step,
            ChunkStep::done);
  EXPECT_EQ(decode_all_ways("1;abc\r\nx\r\n1;defg\r\ny\r\n", limits).refusal,
            Refusal::chunk_extensions_too_long);
  EXPECT_EQ(decode_all_ways("0\r\nA: bcd\r\n\r\n", limits).step, ChunkStep::done);
  EXPECT_EQ(decode_all_ways("0\r\nA: bcde\r\n\r\n", limits).refusal, Refusal::trailers_too_large);
  limits.trailer_bytes = 100;
  EXPECT_EQ(decode_all_ways("0\r\nA:1\r\nA:2\r\n\r\n", limits).step, ChunkStep::done);
  EXPECT_EQ(decode_all_ways("0\r\nA:1\r\nA:2\r\nA:3\r\n\r\n", limits).refusal,
            Refusal::trailers_too_large);
}

}  // namespace
}  // namespace doorward::codec::h1
