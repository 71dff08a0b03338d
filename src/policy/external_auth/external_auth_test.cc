// Questions, approvals, refusals and errors; what clients cannot forge.
#include "policy/external_auth/external_auth.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;
using testing::text_of;

class ExternalAuthTest : public ::testing::Test {
 protected:
  http::Reply* ask(std::string_view settings = "{}") {
    std::string item(settings);
    item.insert(1, item == "{}" ? "service: auth" : "service: auth, ");
    const auto policy = policy_of("external_auth: " + item);
    return context.run(policy->on_request(context)).reply;
  }
  http::HeaderList& headers() { return context.request().headers; }
  FakeContext context;
};

TEST_F(ExternalAuthTest, AsksWithTheRequestsFactsAndChosenFields) {
  headers().add("Authorization", "Bearer t");
  headers().add("Cookie", "a=b");
  headers().add("X-Other", "1");
  headers().add("X-Forwarded-For", "forged");
  headers().add("Content-Length", "5");
  context.answer(200);
  EXPECT_EQ(ask("{path: '/check{request.path}?host={request.host}', method: POST, "
                "headers: [authorization, x-*, 'c*']}"),
            nullptr);
  ASSERT_EQ(context.calls.size(), 1U);
  const FakeContext::Call& call = context.calls[0];
  EXPECT_EQ(call.service, "auth");
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/check/orders/7?host=shop.example.com");
  EXPECT_EQ(call.deadline.at() - context.now(), std::chrono::seconds(1));
  const std::map<std::string, std::string> expected = {{"Authorization", "Bearer t"},
                                                       {"Cookie", "a=b"},
                                                       {"X-Other", "1"},
                                                       {"x-original-method", "GET"},
                                                       {"x-original-uri", "/orders/7?page=2"},
                                                       {"x-forwarded-method", "GET"},
                                                       {"x-forwarded-host", "shop.example.com"},
                                                       {"x-forwarded-uri", "/orders/7?page=2"},
                                                       {"x-forwarded-for", "192.0.2.7"}};
  EXPECT_EQ(call.headers, expected);
}

TEST_F(ExternalAuthTest, ByDefaultCredentialsAreShown) {
  headers().add("Authorization", "Bearer t");
  headers().add("X-Other", "1");
  context.answer(204);
  EXPECT_EQ(ask(), nullptr);
  EXPECT_EQ(context.calls[0].target, "/");
  EXPECT_TRUE(context.calls[0].headers.contains("Authorization"));
  EXPECT_FALSE(context.calls[0].headers.contains("X-Other"));
}

TEST_F(ExternalAuthTest, ChosenAnswersReachTheBackendAndCannotBeForged) {
  headers().add("X-User", "admin");
  headers().add("x-role-a", "root");
  headers().add("x-stays", "1");
  CallResponse& answer = context.answer(200);
  answer.head->headers.add("x-user", "alice");
  answer.head->headers.add("x-role-b", "reader");
  answer.head->headers.add("x-other", "1");
  EXPECT_EQ(ask("{to_backend: [x-user, x-role-*]}"), nullptr);
  EXPECT_EQ(text_of(headers()), "x-stays: 1\nx-user: alice\nx-role-b: reader\n");
}

TEST_F(ExternalAuthTest, ARefusalGoesToTheClient) {
  CallResponse& answer = context.answer(401, "who are you?");
  answer.head->headers.add("content-type", "text/plain");
  answer.head->headers.add("www-authenticate", "Bearer");
  answer.head->headers.add("www-authenticate", "Basic");
  answer.head->headers.add("content-length", "12");
  answer.head->headers.add("x-secret", "1");
  const http::Reply* reply = ask();
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->status, 401);
  EXPECT_EQ(reply->code, "auth_denied");
  EXPECT_TRUE(reply->has_body);
  EXPECT_EQ(reply->body.view(), "who are you?");
  EXPECT_EQ(reply->content_type, "text/plain");
  ASSERT_NE(reply->headers, nullptr);
  EXPECT_EQ(reply->headers->value, "Bearer");
  ASSERT_NE(reply->headers->next, nullptr);
  EXPECT_EQ(reply->headers->next->value, "Basic");
  EXPECT_EQ(reply->headers->next->next, nullptr);
}

TEST_F(ExternalAuthTest, ARedirectIsARefusalToo) {
  context.answer(302).head->headers.add("location", "https://login.example.com/");
  const http::Reply* reply = ask();
  EXPECT_EQ(reply->status, 302);
  EXPECT_EQ(reply->headers->name, "location");
}

TEST_F(ExternalAuthTest, NoAnswerDenies) {
  const http::Reply* reply = ask();
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->code, "auth_unavailable");
  EXPECT_EQ(reply->detail, "Service auth did not answer within 1s (timeout of external_auth).");
}

TEST_F(ExternalAuthTest, AClientOfAUnixSocketHasNoAddressToTell) {
  context.client_address = *loop::Address::parse("unix:/run/a");
  context.answer(200);
  EXPECT_EQ(ask(), nullptr);
  EXPECT_FALSE(context.calls[0].headers.contains("x-forwarded-for"));
}

TEST_F(ExternalAuthTest, AServersErrorIsNoAnswer) {
  for (const std::uint16_t status : {500, 503, 304}) {
    context.answer(status);
    const http::Reply* reply = ask();
    EXPECT_EQ(reply->code, "auth_unavailable") << status;
    EXPECT_EQ(reply->detail, "Service auth answered " + std::to_string(status) + ".");
  }
}

TEST_F(ExternalAuthTest, OnErrorMayAllowWithoutForgedFields) {
  headers().add("X-User", "admin");
  EXPECT_EQ(ask("{to_backend: [x-user], on_error: allow}"), nullptr);
  EXPECT_EQ(text_of(headers()), "");
  EXPECT_EQ(context.skipped, std::vector<std::string>{"external_auth auth_unavailable"});
  EXPECT_TRUE(context.shadow_replies.empty());
}

TEST_F(ExternalAuthTest, AClientCannotMakeTheQuestionFail) {
  headers().add("x-t", "../x");
  const http::Reply* reply = ask("{path: '/{request.header.x-t}', on_error: allow}");
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->status, 403);
  EXPECT_TRUE(context.calls.empty());
}

TEST_F(ExternalAuthTest, WaitsForTheAnswer) {
  context.hold = true;
  context.answer(403);
  const auto policy = policy_of("external_auth: {service: auth}");
  const Outcome outcome = context.run(policy->on_request(context), [&] {
    EXPECT_TRUE(context.holds());
    context.release();
  });
  EXPECT_EQ(outcome.reply->status, 403);
}

TEST_F(ExternalAuthTest, NamesItsMistakes) {
  EXPECT_NE(errors_of_item("external_auth: {}").find("service: is missing"), std::string::npos);
  EXPECT_NE(errors_of_item("external_auth: {service: auth, path: check}"), "");
  EXPECT_NE(errors_of_item("external_auth: {service: auth, to_backend: [content-length]}"), "");
  EXPECT_NE(errors_of_item("external_auth: {service: auth, on_error: pass}"), "");
}

}  // namespace
}  // namespace doorward::policy
