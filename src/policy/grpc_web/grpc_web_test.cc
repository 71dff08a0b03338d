// Heads both ways, bodies in pieces, trailers, and what passes untouched.
#include "policy/grpc_web/grpc_web.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using http::HeaderName;
using testing::FakeContext;
using testing::policy_of;
using testing::text_of;

constexpr std::string_view kHello = {"\0\0\0\0\5hello", 10};
constexpr std::string_view kHelloText = "AAAAAAVoZWxsbw==";
constexpr std::string_view kOkFrame = {"\x80\0\0\0\x10grpc-status: 0\r\n", 21};
constexpr std::string_view kOkFrameText = "gAAAABBncnBjLXN0YXR1czogMA0K";

class GrpcWebTest : public ::testing::Test {
 protected:
  void SetUp() override { context.use_single(); }

  void request(std::string_view type) {
    context.request().headers.add(HeaderName::content_type, type);
    EXPECT_EQ(policy->on_request(context).take().reply, nullptr);
  }
  void response(std::string_view type, bool has_body = true) {
    context.has_body = has_body;
    context.response().headers.add(HeaderName::content_type, type);
    EXPECT_EQ(policy->on_response(context).take().reply, nullptr);
  }
  // The bytes that go on, or the code of the refusal.
  std::string upload(std::string_view bytes, bool last) {
    BodyPiece piece{Chunk(bytes), last, false};
    const Outcome outcome = policy->on_request_body(context, piece).take();
    if (outcome.reply == nullptr) return std::string(piece.chunk.view());
    EXPECT_EQ(outcome.reply->status, 400);
    EXPECT_EQ(outcome.reply->close, !last);
    return std::string(outcome.reply->code);
  }
  std::string download(std::string_view bytes, bool last, bool more_ready = false) {
    BodyPiece piece{Chunk(bytes), last, more_ready, last ? trailers : nullptr};
    const Outcome outcome = policy->on_response_body(context, piece).take();
    if (outcome.reply != nullptr) return std::string(outcome.reply->code);
    trailers_left = piece.trailers;
    return std::string(piece.chunk.view());
  }
  void ends_with(std::string_view status) { own_trailers.set(HeaderName::grpc_status, status); }

  FakeContext context;
  std::shared_ptr<const Policy> policy = policy_of("grpc_web: {}");
  http::HeaderList own_trailers{context.arena()};
  const http::HeaderList* trailers = &own_trailers;
  const http::HeaderList* trailers_left = nullptr;
};

TEST_F(GrpcWebTest, TheRequestsHeadBecomesGrpc) {
  context.request().headers.add("content-length", "10");
  context.request().headers.add("accept", "application/grpc-web+proto");
  context.request().headers.add("x-grpc-web", "1");
  request("application/grpc-web+proto");
  EXPECT_EQ(text_of(context.request().headers),
            "x-grpc-web: 1\ncontent-type: application/grpc+proto\nte: trailers\n");
}

TEST_F(GrpcWebTest, OtherRequestsPassUntouched) {
  for (const std::string_view type : {"application/json", "application/grpc+proto"}) {
    FakeContext other;
    other.use_single();
    other.request().headers.add(HeaderName::content_type, type);
    other.request().headers.add("content-length", "3");
    other.response().headers.add(HeaderName::content_type, "application/grpc");
    EXPECT_EQ(policy->on_request(other).take().reply, nullptr);
    BodyPiece up{Chunk("abc"), true, false};
    EXPECT_EQ(policy->on_request_body(other, up).take().reply, nullptr);
    EXPECT_EQ(up.chunk.view(), "abc");
    EXPECT_EQ(policy->on_response(other).take().reply, nullptr);
    BodyPiece down{Chunk("xyz"), true, false, trailers};
    EXPECT_EQ(policy->on_response_body(other, down).take().reply, nullptr);
    EXPECT_EQ(down.chunk.view(), "xyz");
    EXPECT_EQ(down.trailers, trailers);
    EXPECT_EQ(other.request().headers.value(HeaderName::content_type), type);
    EXPECT_EQ(other.request().headers.value("content-length"), "3");
    EXPECT_EQ(other.response().headers.value(HeaderName::content_type), "application/grpc");
    EXPECT_EQ(other.length_unknown, 0);
  }
}

TEST_F(GrpcWebTest, ABinaryBodyGoesOnAsItIs) {
  request("application/grpc-web");
  EXPECT_EQ(upload(kHello.substr(0, 7), false), kHello.substr(0, 7));
  EXPECT_EQ(upload(kHello.substr(7), false), kHello.substr(7));
  EXPECT_EQ(upload("", true), "");
}

TEST_F(GrpcWebTest, TextIsDecodedHoweverItIsCut) {
  for (std::size_t cut = 0; cut <= kHelloText.size(); ++cut) {
    FakeContext fresh;
    fresh.use_single();
    fresh.request().headers.add(HeaderName::content_type, "application/grpc-web-text");
    EXPECT_EQ(policy->on_request(fresh).take().reply, nullptr);
    std::string all;
    for (const bool last : {false, true}) {
      BodyPiece piece{Chunk(last ? kHelloText.substr(cut) : kHelloText.substr(0, cut)), last};
      EXPECT_EQ(policy->on_request_body(fresh, piece).take().reply, nullptr);
      all += piece.chunk.view();
    }
    EXPECT_EQ(all, kHello);
  }
}

TEST_F(GrpcWebTest, WhatIsNoGrpcWebIsRefused) {
  request("application/grpc-web-text");
  EXPECT_EQ(upload("AAAA*AVo", false), "grpc_web_invalid");
}

TEST_F(GrpcWebTest, ATrailerFrameInARequestIsRefused) {
  request("application/grpc-web");
  EXPECT_EQ(upload(kOkFrame, false), "grpc_web_invalid");
}

TEST_F(GrpcWebTest, ABodyThatEndsWithinAMessageIsRefused) {
  request("application/grpc-web");
  EXPECT_EQ(upload(kHello.substr(0, 9), true), "grpc_web_invalid");
}

TEST_F(GrpcWebTest, TextThatEndsWithinAGroupIsRefused) {
  request("application/grpc-web-text");
  EXPECT_EQ(upload("AAAAAAA", true), "grpc_web_invalid");
}

TEST_F(GrpcWebTest, TrailersBecomeAFrame) {
  request("application/grpc-web+proto");
  context.response().headers.add("trailer", "grpc-status");
  context.response().headers.add("content-length", "10");
  response("application/grpc+proto");
  EXPECT_EQ(text_of(context.response().headers), "content-type: application/grpc-web+proto\n");
  EXPECT_EQ(context.length_unknown, 1);
  ends_with("0");
  EXPECT_EQ(download(kHello, false), kHello);
  EXPECT_EQ(download(kHello, true), std::string(kHello).append(kOkFrame));
  EXPECT_EQ(trailers_left, nullptr);
}

TEST_F(GrpcWebTest, AFormatThatTheBackendLeavesOutIsTheRequests) {
  request("application/grpc-web+json");
  response("application/grpc", false);
  EXPECT_EQ(text_of(context.response().headers), "content-type: application/grpc-web+json\n");
}

TEST_F(GrpcWebTest, TextIsFlushedWhereTheBackendPauses) {
  request("application/grpc-web-text");
  response("application/grpc");
  EXPECT_EQ(context.response().headers.value(HeaderName::content_type),
            "application/grpc-web-text");
  ends_with("0");
  EXPECT_EQ(download(kHello.substr(0, 4), false, true), "AAAA");
  EXPECT_EQ(download(kHello.substr(4), false, false), "AAVoZWxsbw==");
  EXPECT_EQ(download("", true), kOkFrameText);
}

TEST_F(GrpcWebTest, TheClientMayWantTextForABinaryRequest) {
  context.request().headers.add("accept", "*/*, application/grpc-web-text+proto;q=1");
  request("application/grpc-web");
  response("application/grpc");
  ends_with("0");
  EXPECT_EQ(download(kHello, false), kHelloText);
}

TEST_F(GrpcWebTest, AStatusInTheHeadIsPassedOn) {
  request("application/grpc-web-text");
  context.response().headers.add(HeaderName::grpc_status, "5");
  response("application/grpc", false);
  EXPECT_EQ(text_of(context.response().headers),
            "grpc-status: 5\ncontent-type: application/grpc-web-text\n");
  EXPECT_EQ(context.length_unknown, 0);
}

TEST_F(GrpcWebTest, AStatusInTheHeadOfAnEmptyBodyGetsNoFrame) {
  request("application/grpc-web");
  context.response().headers.add(HeaderName::grpc_status, "5");
  response("application/grpc");
  trailers = nullptr;
  EXPECT_EQ(download("", true), "");
}

TEST_F(GrpcWebTest, PagesOfOtherOriginsMayReadTheStatus) {
  context.request().headers.add("origin", "https://app.example.com");
  request("application/grpc-web");
  response("application/grpc-web+proto", false);  // as Doorward's own replies are
  EXPECT_EQ(text_of(context.response().headers),
            "content-type: application/grpc-web+proto\n"
            "access-control-expose-headers: grpc-status, grpc-message, grpc-status-details-bin\n");
}

TEST_F(GrpcWebTest, AResponseThatIsNoGrpcPassesUntouched) {
  request("application/grpc-web");
  response("text/html");
  EXPECT_EQ(download("<html>", true), "<html>");
  EXPECT_EQ(trailers_left, trailers);
  EXPECT_EQ(text_of(context.response().headers), "content-type: text/html\n");
}

TEST_F(GrpcWebTest, ABackendWithoutAStatusGetsOne) {
  request("application/grpc-web");
  response("application/grpc");
  trailers = nullptr;
  const std::string end = download("", true);
  EXPECT_EQ(end[0], '\x80');
  EXPECT_EQ(end.substr(5),
            "grpc-status: 2\r\ngrpc-message: The backend ended its response without a status.\r\n");
}

TEST_F(GrpcWebTest, AResponseThatEndsWithinAMessageIsBroken) {
  request("application/grpc-web");
  response("application/grpc");
  ends_with("0");
  EXPECT_EQ(download(kHello.substr(0, 8), true), "backend_protocol_error");
}

TEST_F(GrpcWebTest, AFrameOfTheBackendsOwnCannotPassAsTrailers) {
  request("application/grpc-web");
  response("application/grpc");
  EXPECT_EQ(download(kOkFrame, false), "backend_protocol_error");
}

}  // namespace
}  // namespace doorward::policy
