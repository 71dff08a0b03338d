// The header's value, and which responses have it.
#include "policy/hsts/hsts.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;
using testing::text_of;

std::string headers_with(FakeContext& context, std::string_view item) {
  const std::shared_ptr<const Policy> policy = policy_of(item);
  EXPECT_EQ(policy->on_response(context).take().reply, nullptr);
  return text_of(context.response().headers);
}

class HstsTest : public ::testing::Test {
 protected:
  void SetUp() override { context.scheme_text = "https"; }
  FakeContext context;
};

TEST_F(HstsTest, SaysHowLong) {
  EXPECT_EQ(headers_with(context, "hsts: {}"), "strict-transport-security: max-age=31536000\n");
}

TEST_F(HstsTest, SaysForWhom) {
  EXPECT_EQ(headers_with(context, "hsts: {max_age: 730d, include_subdomains: true, preload: true}"),
            "strict-transport-security: max-age=63072000; includeSubDomains; preload\n");
}

TEST_F(HstsTest, TakesThePlaceOfTheBackends) {
  context.response().headers.add("Strict-Transport-Security", "max-age=1");
  context.response().headers.add("Strict-Transport-Security", "max-age=2");
  const std::shared_ptr<const Policy> policy = policy_of("hsts: {max_age: 0}");
  EXPECT_EQ(policy->on_response(context).take().reply, nullptr);
  const http::HeaderList& headers = context.response().headers;
  EXPECT_EQ(headers.count(http::HeaderName::strict_transport_security), 1U);
  EXPECT_EQ(headers.value(http::HeaderName::strict_transport_security), "max-age=0");
}

TEST_F(HstsTest, IsNotSaidInCleartext) {
  context.scheme_text = "http";
  EXPECT_EQ(headers_with(context, "hsts: {}"), "");
}

TEST_F(HstsTest, PreloadNeedsWhatTheListsAskFor) {
  const std::string wrong =
      "hsts.preload: needs include_subdomains: true and a max_age of at least 365d\n";
  EXPECT_EQ(errors_of_item("hsts: {preload: true}"), wrong);
  EXPECT_EQ(errors_of_item("hsts: {preload: true, include_subdomains: true, max_age: 30d}"), wrong);
  EXPECT_EQ(errors_of_item("hsts: {max_age: 1ms}"), "hsts.max_age: must be at least 1s, not 1ms\n");
}

}  // namespace
}  // namespace doorward::policy
