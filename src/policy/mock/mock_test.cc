// What a mock answers, and what cannot be one.
#include "policy/mock/mock.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

TEST(Mock, AnswersWithRenderedBodyAndHeaders) {
  FakeContext context;
  context.params["id"] = "7";
  const auto policy = policy_of(
      "mock: {status: 201, body: '{\"id\": {route.param.id}}', content_type: application/json, "
      "headers: {x-a: '{request.method}', x-none: '{request.header.x}', x-b: c}}");
  const Outcome outcome = policy->on_request(context).take();
  ASSERT_NE(outcome.reply, nullptr);
  EXPECT_EQ(outcome.reply->status, 201);
  EXPECT_TRUE(outcome.reply->has_body);
  EXPECT_EQ(outcome.reply->body.view(), "{\"id\": 7}");
  EXPECT_EQ(outcome.reply->content_type, "application/json");
  const http::ReplyHeader* first = outcome.reply->headers;
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->name, "x-a");
  EXPECT_EQ(first->value, "GET");
  ASSERT_NE(first->next, nullptr);
  EXPECT_EQ(first->next->name, "x-b");
  EXPECT_EQ(first->next->next, nullptr);
}

TEST(Mock, ByDefaultIsAnEmpty200) {
  FakeContext context;
  const Outcome outcome = policy_of("mock: {}")->on_request(context).take();
  EXPECT_EQ(outcome.reply->status, 200);
  EXPECT_TRUE(outcome.reply->has_body);
  EXPECT_TRUE(outcome.reply->body.empty());
  EXPECT_TRUE(outcome.reply->content_type.empty());
}

TEST(Mock, ARenderedValueCannotSplitTheHead) {
  FakeContext context;
  context.set_query("a\r\nset-cookie: b");
  const auto policy = policy_of("mock: {headers: {x-a: '{request.query}'}}");
  EXPECT_EQ(policy->on_request(context).take().reply->headers, nullptr);
}

TEST(Mock, NamesItsMistakes) {
  EXPECT_EQ(errors_of_item("mock: {status: 204, body: x}"),
            "mock.body: cannot be sent with this status, which has no content\n");
  EXPECT_NE(errors_of_item("mock: {status: 99}"), "");
  EXPECT_NE(errors_of_item("mock: {headers: {content-length: '1'}}"), "");
}

}  // namespace
}  // namespace doorward::policy
