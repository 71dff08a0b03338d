// RequestParser: what a usual request gives, and how it behaves over calls. The many malformed
// ones are in tests/conformance/requests.json (conformance_test.cc).
#include "codec/h1/request_parser.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::codec::h1 {
namespace {

class RequestParserTest : public testing::Test {
 protected:
  Progress parse(std::string_view bytes) {
    head = http::RequestHead(arena);
    parser.reset();
    return parser.parse(bytes, limits, head);
  }
  Arena arena;
  http::RequestHead head{arena};
  RequestParser parser;
  ParseLimits limits;
};

TEST_F(RequestParserTest, ReadsAUsualRequest) {
  const std::string_view bytes =
      "POST /orders?id=7 HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 5\r\n"
      "X-Thing:  a\tb \r\nConnection: keep-alive\r\nExpect: 100-Continue\r\n\r\nhello";
  ASSERT_EQ(parse(bytes), Progress::done) << to_string(parser.refusal());
  EXPECT_EQ(parser.consumed(), bytes.size() - 5);
  EXPECT_EQ(head.method, http::Method::post);
  EXPECT_EQ(head.method_text, "POST");
  EXPECT_EQ(head.target, "/orders?id=7");
  EXPECT_EQ(head.version, http::Version::http11);
  EXPECT_EQ(head.headers.size(), 5U);
  EXPECT_EQ(head.headers.value("x-thing"), "a\tb");
  EXPECT_EQ(parser.framing(), (Framing{Body::length, 5}));
  EXPECT_EQ(parser.host(), "api.example.com");
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_TRUE(parser.expect_continue());
}

TEST_F(RequestParserTest, UntouchedLinesCoverTheHeadWithoutGaps) {
  const std::string_view bytes = "GET / HTTP/1.1\r\nHost: a\r\nAccept:*/*\r\nX-Y:\t z \r\n\r\n";
  ASSERT_EQ(parse(bytes), Progress::done);
  std::string joined;
  for (const http::Header& header : head.headers) joined += header.line();
  EXPECT_EQ(joined, bytes.substr(16, bytes.size() - 18));
}

TEST_F(RequestParserTest, ViewsFollowBytesThatMove) {
  const std::string whole = "GET /a HTTP/1.1\r\nHost: abc\r\nX-One: 1\r\nX-Two: 2\r\n\r\n";
  head = http::RequestHead(arena);
  std::string kept;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::string copy = whole.substr(0, size);
    copy.reserve(1024 + size);  // never the same memory
    const Progress progress = parser.parse(copy, limits, head);
    ASSERT_EQ(progress, size == whole.size() ? Progress::done : Progress::need_more);
    kept.swap(copy);
  }
  EXPECT_EQ(head.target, "/a");
  EXPECT_EQ(head.headers.value("x-one"), "1");
  EXPECT_EQ(head.target.data(), kept.data() + 4);
  EXPECT_EQ(parser.host().data(), kept.data() + 23);
}

TEST_F(RequestParserTest, AbsoluteTargetGivesHostAndPath) {
  ASSERT_EQ(parse("GET HTTPS://Example.com/p?q HTTP/1.1\r\nHost: example.com:443\r\n\r\n"),
            Progress::done);
  EXPECT_EQ(parser.host(), "Example.com");
  EXPECT_EQ(parser.path_and_query(), "/p?q");
  EXPECT_TRUE(parser.target_is_https());
  ASSERT_EQ(parse("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n"), Progress::done);
  EXPECT_EQ(parser.path_and_query(), "*");
  ASSERT_EQ(parse("GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n"), Progress::done);
  EXPECT_EQ(parser.path_and_query(), "?b");
}

TEST_F(RequestParserTest, UpgradeNeedsConnectionToNameIt) {
  ASSERT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                  "Connection: keep-alive, Upgrade\r\n\r\n"),
            Progress::done);
  EXPECT_EQ(parser.upgrade(), "websocket");
  ASSERT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"), Progress::done);
  EXPECT_EQ(parser.upgrade(), "");
  ASSERT_EQ(parse("GET / HTTP/1.0\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), Progress::done);
  EXPECT_EQ(parser.upgrade(), "");
}

TEST_F(RequestParserTest, LimitsHoldToTheByte) {
  const std::string bytes = "GET /1234 HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n";
  limits.head_bytes = static_cast<std::uint32_t>(bytes.size());
  EXPECT_EQ(parse(bytes), Progress::done);
  --limits.head_bytes;
  EXPECT_EQ(parse(bytes), Progress::refused);
  EXPECT_EQ(parser.refusal(), Refusal::head_too_large);
  limits = {};
  limits.header_count = 2;
  EXPECT_EQ(parse(bytes), Progress::done);
  limits.header_count = 1;
  EXPECT_EQ(parse(bytes), Progress::refused);
  EXPECT_EQ(parser.refusal(), Refusal::too_many_headers);
  limits = {};
  limits.target_length = 5;
  EXPECT_EQ(parse(bytes), Progress::done);
  limits.target_length = 4;
  EXPECT_EQ(parse(bytes), Progress::refused);
  EXPECT_EQ(parser.refusal(), Refusal::target_too_long);
  limits = {};
  limits.line_length = 7;
  EXPECT_EQ(parse(bytes), Progress::done);
  limits.line_length = 6;
  EXPECT_EQ(parse(bytes), Progress::refused);
  EXPECT_EQ(parser.refusal(), Refusal::header_line_too_long);
}

}  // namespace
}  // namespace doorward::codec::h1
