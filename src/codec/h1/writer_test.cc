// The writer: untouched heads come out as they came in; changed ones keep order; sizes suffice.
#include "codec/h1/writer.h"

#include <gtest/gtest.h>
#include <string>

#include "codec/h1/request_parser.h"
#include "codec/h1/response_parser.h"

namespace doorward::codec::h1 {
namespace {

template <class Head>
std::string write(const Head& head, const HeadOptions& options = {}) {
  std::string text(head_size(head, options), '\0');
  const char* end = write_head(head, options, text.data());
  const auto size = static_cast<std::size_t>(end - text.data());
  EXPECT_LE(size, text.size());
  text.resize(size);
  return text;
}

class WriterTest : public testing::Test {
 protected:
  void parse(std::string_view bytes) {
    RequestParser parser;
    ASSERT_EQ(parser.parse(bytes, {}, head), Progress::done) << to_string(parser.refusal());
  }
  Arena arena;
  http::RequestHead head{arena};
};

TEST_F(WriterTest, AnUntouchedHeadComesOutAsItCame) {
  const std::string bytes = "GET /a HTTP/1.1\r\nHOST:a\r\nX-Y:\t z \r\nContent-length: 5\r\n\r\n";
  parse(bytes);
  EXPECT_EQ(write(head), bytes);
}

TEST_F(WriterTest, ChangedLinesStandBetweenUntouchedRuns) {
  parse("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n");
  head.headers.remove("B");
  head.headers.set("c", "x");
  head.headers.add(http::HeaderName::via, "y");
  EXPECT_EQ(write(head), "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nc: x\r\nD: 4\r\nvia: y\r\n\r\n");
}

TEST_F(WriterTest, FramingIsAsTold) {
  parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nA: 1\r\n\r\n");
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(write(head, {.framing = WriteFraming::chunked}),
            start + "A: 1\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(write(head, {.framing = WriteFraming::length, .length = ~0ULL}),
            start + "A: 1\r\ncontent-length: 18446744073709551615\r\n\r\n");
  EXPECT_EQ(write(head, {.framing = WriteFraming::none}), start + "A: 1\r\n\r\n");
}

TEST_F(WriterTest, TransferEncodingNeverGoesOutAsItCame) {
  parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n");
  EXPECT_EQ(write(head), "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(WriterTest, OptionsReplaceLines) {
  parse("GET http://a/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nA: 1\r\n\r\n");
  EXPECT_EQ(write(head, {.connection = "keep-alive",
                         .host = "backend:80",
                         .target = "/x",
                         .extra = "x-id: 7\r\nvia: z\r\n"}),
            "GET /x HTTP/1.1\r\nhost: backend:80\r\nA: 1\r\nconnection: keep-alive\r\n"
            "x-id: 7\r\nvia: z\r\n\r\n");
}

TEST_F(WriterTest, WritesResponses) {
  http::ResponseHead response(arena);
  ResponseParser parser;
  ASSERT_EQ(parser.parse("HTTP/1.0 404 Gone fishing\r\nServer: x\r\n\r\n", {}, response),
            Progress::done);
  EXPECT_EQ(write(response, {.framing = WriteFraming::length, .length = 0}),
            "HTTP/1.1 404 Gone fishing\r\nServer: x\r\ncontent-length: 0\r\n\r\n");
  http::ResponseHead own(arena);
  own.status = 200;
  EXPECT_EQ(write(own), "HTTP/1.1 200 \r\n\r\n");
}

TEST(Writer, FramesChunks) {
  char room[kChunkLineSize];
  EXPECT_EQ(chunk_line(1, room), "1\r\n");
  EXPECT_EQ(chunk_line(0xabc, room), "abc\r\n");
  EXPECT_EQ(chunk_line(~0ULL, room), "ffffffffffffffff\r\n");
  Arena arena;
  http::HeaderList trailers(arena);
  trailers.add("X-Sum", "1");
  std::string text(last_chunk_size(trailers), '\0');
  text.resize(static_cast<std::size_t>(write_last_chunk(trailers, text.data()) - text.data()));
  EXPECT_EQ(text, "0\r\nX-Sum: 1\r\n\r\n");
}

}  // namespace
}  // namespace doorward::codec::h1
