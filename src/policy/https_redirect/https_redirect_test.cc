// Who is sent elsewhere, and where to.
#include "policy/https_redirect/https_redirect.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

// "308 https://…", or "pass".
std::string answer(FakeContext& context, std::string_view item) {
  const std::shared_ptr<const Policy> policy = policy_of(item);
  const Outcome outcome = policy->on_request(context).take();
  if (outcome.reply == nullptr) return "pass";
  const http::Reply& reply = *outcome.reply;
  if (reply.headers == nullptr) return std::to_string(reply.status) + " " + std::string(reply.code);
  EXPECT_EQ(reply.headers->name, "location");
  EXPECT_TRUE(reply.body.empty());
  return std::to_string(reply.status) + " " + std::string(reply.headers->value);
}

TEST(HttpsRedirect, SendsToTheSamePlace) {
  FakeContext context;
  context.scheme_text = "http";
  EXPECT_EQ(answer(context, "https_redirect: {}"), "308 https://shop.example.com/orders/7?page=2");
  EXPECT_EQ(answer(context, "https_redirect: {status: 302, port: 8443}"),
            "302 https://shop.example.com:8443/orders/7?page=2");
  context.set_path("*");
  EXPECT_EQ(answer(context, "https_redirect: {}"), "308 https://shop.example.com/");
}

TEST(HttpsRedirect, LeavesHttpsAlone) {
  FakeContext context;
  context.scheme_text = "https";
  EXPECT_EQ(answer(context, "https_redirect: {}"), "pass");
}

TEST(HttpsRedirect, NeedsAHost) {
  FakeContext context;
  context.scheme_text = "http";
  context.host_text = "";
  EXPECT_EQ(answer(context, "https_redirect: {}"), "400 host_missing");
}

TEST(HttpsRedirect, TakesOnlyStatusesThatRedirect) {
  EXPECT_EQ(errors_of_item("https_redirect: {status: 303, port: 0}"),
            "https_redirect.status: must be 301, 302, 307 or 308, not 303\n"
            "https_redirect.port: must be at least 1, not 0\n");
}

}  // namespace
}  // namespace doorward::policy
