// ResponseParser: framing by request and status, interim heads, tunnels. The malformed ones are in
// tests/conformance/responses.json (conformance_test.cc).
#include "codec/h1/response_parser.h"

#include <gtest/gtest.h>

namespace doorward::codec::h1 {
namespace {

class ResponseParserTest : public testing::Test {
 protected:
  Progress parse(std::string_view bytes) {
    head = http::ResponseHead(arena);
    return parser.parse(bytes, limits, head);
  }
  Arena arena;
  http::ResponseHead head{arena};
  ResponseParser parser;
  ParseLimits limits;
};

TEST_F(ResponseParserTest, ReadsAUsualResponse) {
  ASSERT_EQ(parse("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc"), Progress::done);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not Found");
  EXPECT_EQ(parser.framing(), (Framing{Body::length, 3}));
  EXPECT_EQ(parser.consumed(), 45U);
  EXPECT_TRUE(parser.keep_alive());
}

TEST_F(ResponseParserTest, InterimHeadsAreBounded) {
  parser.reset(http::Method::get);
  for (int i = 0; i < 16; ++i) {
    ASSERT_EQ(parse("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"), Progress::done);
    EXPECT_TRUE(parser.interim());
    parser.next_head();
  }
  EXPECT_EQ(parse("HTTP/1.1 100 Continue\r\n\r\n"), Progress::refused);
  EXPECT_EQ(parser.refusal(), Refusal::too_many_interim);
}

TEST_F(ResponseParserTest, SwitchingNeedsARequestThatAskedForIt) {
  const std::string_view bytes =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
  parser.reset(http::Method::get, true);
  ASSERT_EQ(parse(bytes), Progress::done);
  EXPECT_TRUE(parser.switched());
  EXPECT_FALSE(parser.interim());
  EXPECT_FALSE(parser.keep_alive());
  parser.reset(http::Method::get);
  EXPECT_EQ(parse(bytes), Progress::refused);
  EXPECT_EQ(parser.refusal(), Refusal::unexpected_upgrade);
}

TEST_F(ResponseParserTest, HeadAndNotModifiedHaveNoContent) {
  parser.reset(http::Method::head);
  ASSERT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), Progress::done);
  EXPECT_EQ(parser.framing().kind, Body::none);
  EXPECT_TRUE(parser.keep_alive());
  parser.reset(http::Method::get);
  ASSERT_EQ(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"), Progress::done);
  EXPECT_EQ(parser.framing().kind, Body::none);
}

TEST_F(ResponseParserTest, WithoutFramingTheContentEndsWithTheConnection) {
  ASSERT_EQ(parse("HTTP/1.1 200 OK\r\n\r\n"), Progress::done);
  EXPECT_EQ(parser.framing().kind, Body::until_close);
  EXPECT_FALSE(parser.keep_alive());
}

}  // namespace
}  // namespace doorward::codec::h1
