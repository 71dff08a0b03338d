// New, kept and refused ids on both sides.
#include "policy/request_id/request_id.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

constexpr const char* kUuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

bool is_uuid(std::string_view id) {
  return re2::RE2::FullMatch(re2::StringPiece(id.data(), id.size()), kUuid);
}

TEST(RequestId, ANewOneGoesToBothSidesAndTheLog) {
  FakeContext context;
  context.request().headers.add("X-Request-Id", "forged");
  context.response().headers.add("x-request-id", "of the backend");
  const auto policy = policy_of("request_id: {}");
  policy->on_request(context).take();
  policy->on_response(context).take();
  const std::string_view id = context.request_id();
  EXPECT_TRUE(is_uuid(id)) << id;
  EXPECT_EQ(context.request().headers.value("x-request-id"), id);
  EXPECT_EQ(context.response().headers.value("x-request-id"), id);
  EXPECT_EQ(context.response().headers.size(), 1U);
}

TEST(RequestId, TwoAreNotTheSame) {
  FakeContext context;
  const auto policy = policy_of("request_id:");
  policy->on_request(context).take();
  const std::string_view first = context.request_id();
  policy->on_request(context).take();
  EXPECT_NE(context.request_id(), first);
}

TEST(RequestId, HeaderAndFormatCanBeChosen) {
  FakeContext context;
  const auto policy = policy_of("request_id: {header: X-Trace, format: hex}");
  policy->on_request(context).take();
  EXPECT_TRUE(
      re2::RE2::FullMatch(std::string(context.request().headers.value("x-trace")), "[0-9a-f]{32}"));
}

TEST(RequestId, ATrustedOneIsKept) {
  FakeContext context;
  context.request().headers.add("X-Request-Id", "a-1");
  policy_of("request_id: {trust: true}")->on_request(context).take();
  EXPECT_EQ(context.request_id(), "a-1");
  EXPECT_EQ(context.request().headers.begin()->name, "X-Request-Id");  // the line as it came
}

TEST(RequestId, OddOnesAreReplacedEvenWhenTrusted) {
  const std::string longest(128, 'a');
  const std::string longer(129, 'a');
  for (const std::string& odd : {std::string("a b"), std::string("a\"b"), std::string(), longer}) {
    FakeContext context;
    context.request().headers.add("x-request-id", odd);
    policy_of("request_id: {trust: true}")->on_request(context).take();
    EXPECT_TRUE(is_uuid(context.request().headers.value("x-request-id"))) << odd;
  }
  FakeContext context;
  context.request().headers.add("x-request-id", longest);
  policy_of("request_id: {trust: true}")->on_request(context).take();
  EXPECT_EQ(context.request_id(), longest);
}

TEST(RequestId, TwoIdsAreNone) {
  FakeContext context;
  context.request().headers.add("x-request-id", "a");
  context.request().headers.add("x-request-id", "b");
  policy_of("request_id: {trust: true}")->on_request(context).take();
  EXPECT_TRUE(is_uuid(context.request_id()));
  EXPECT_EQ(context.request().headers.size(), 1U);
}

TEST(RequestId, TheHeaderMustBeOne) {
  EXPECT_NE(errors_of_item("request_id: {header: 'a b'}"), "");
  EXPECT_NE(errors_of_item("request_id: {header: connection}"), "");
  EXPECT_NE(errors_of_item("request_id: {format: uid}").find("uuid"), std::string::npos);
}

}  // namespace
}  // namespace doorward::policy
