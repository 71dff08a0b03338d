// Who may open a WebSocket, what is taken out of the offer, and which answers are refused.
#include "policy/websocket/websocket.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using http::HeaderName;
using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

class WebsocketTest : public ::testing::Test {
 protected:
  void use(std::string_view settings) { policy = policy_of("websocket: " + std::string(settings)); }
  void upgrade() { request().add(HeaderName::upgrade, "websocket"); }
  http::HeaderList& request() { return context.request().headers; }
  http::HeaderList& response() { return context.response().headers; }
  // The code of the refusal; empty when it passes.
  std::string ask() {
    const Outcome outcome = policy->on_request(context).take();
    reply = outcome.reply;
    return reply == nullptr ? "" : std::string(reply->code);
  }
  std::string answer(std::uint16_t status = 101, std::string_view upgrade_to = "websocket") {
    context.response().status = status;
    if (!upgrade_to.empty()) response().set(HeaderName::upgrade, upgrade_to);
    const Outcome outcome = policy->on_response(context).take();
    if (outcome.reply != nullptr) EXPECT_EQ(outcome.reply->status, 502);
    return outcome.reply == nullptr ? "" : std::string(outcome.reply->code);
  }

  FakeContext context;
  std::shared_ptr<const Policy> policy = policy_of("websocket: {}");
  const http::Reply* reply = nullptr;
};

TEST_F(WebsocketTest, OtherRequestsPassUntouched) {
  use("{origins: [\"https://a.example\"], max_message: 1KiB}");
  request().add(HeaderName::origin, "https://b.example");
  request().add(HeaderName::sec_websocket_extensions, "foo");
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(context.websocket_rules, nullptr);
  EXPECT_EQ(request().value(HeaderName::sec_websocket_extensions), "foo");
}

TEST_F(WebsocketTest, OtherRequestsAreRefusedWhereOneIsRequired) {
  use("{required: true}");
  EXPECT_EQ(ask(), "websocket_required");
  EXPECT_EQ(reply->status, 426);
  ASSERT_NE(reply->headers, nullptr);
  EXPECT_EQ(reply->headers->name, "upgrade");
  EXPECT_EQ(reply->headers->value, "websocket");
  upgrade();
  EXPECT_EQ(ask(), "");
}

TEST_F(WebsocketTest, ItsFramesAreHeldToTheRules) {
  use("{max_message: 64KiB, messages_per_second: 10, idle_timeout: 30s}");
  request().add(HeaderName::upgrade, "foo, websocket");
  EXPECT_EQ(ask(), "");
  ASSERT_NE(context.websocket_rules, nullptr);
  EXPECT_EQ(context.websocket_rules->message_bytes, 65536U);
  EXPECT_EQ(context.websocket_rules->messages_per_second, 10U);
  EXPECT_EQ(context.websocket_rules->idle_timeout, Duration(30'000));
  EXPECT_EQ(request().value(HeaderName::upgrade), "websocket");
}

TEST_F(WebsocketTest, OriginsAreExactOrHaveStars) {
  use("{origins: [\"https://app.example.com:443\", \"https://*.Trusted.test\", "
      "\"http://localhost:*\"]}");
  const auto allows = [&](std::string_view origin) {
    request().clear();
    upgrade();
    request().add(HeaderName::origin, origin);
    const std::string code = ask();
    EXPECT_TRUE(code.empty() || (code == "websocket_origin_denied" && reply->status == 403));
    return code.empty();
  };
  EXPECT_TRUE(allows("https://app.example.com"));
  EXPECT_TRUE(allows("https://APP.example.com:443"));
  EXPECT_TRUE(allows("https://a.trusted.test"));
  EXPECT_TRUE(allows("https://a.b.trusted.test"));
  EXPECT_TRUE(allows("http://localhost:3000"));
  EXPECT_FALSE(allows("http://app.example.com"));
  EXPECT_FALSE(allows("https://app.example.com:8443"));
  EXPECT_FALSE(allows("https://trusted.test"));
  EXPECT_FALSE(allows("https://evil.test/.trusted.test"));
  EXPECT_FALSE(allows("https://evil.test#.trusted.test"));
  EXPECT_FALSE(allows("https://evil.test@a.trusted.test"));
  EXPECT_FALSE(allows("null"));
  EXPECT_FALSE(allows(""));
}

TEST_F(WebsocketTest, AllOriginsOfARequestMustBeAllowed) {
  use("{origins: \"https://a.example\"}");
  upgrade();
  EXPECT_EQ(ask(), "");  // no browser
  request().add(HeaderName::origin, "https://a.example");
  EXPECT_EQ(ask(), "");
  request().add(HeaderName::origin, "https://b.example");
  EXPECT_EQ(ask(), "websocket_origin_denied");
}

TEST_F(WebsocketTest, AStarAloneIsAnyOrigin) {
  use("{origins: [\"*\"]}");
  upgrade();
  request().add(HeaderName::origin, "null");
  EXPECT_EQ(ask(), "");
}

TEST_F(WebsocketTest, OnlyAllowedSubprotocolsAreOffered) {
  use("{subprotocols: [chat, mqtt]}");
  upgrade();
  EXPECT_EQ(ask(), "");  // none offered
  request().add(HeaderName::sec_websocket_protocol, "soap, mqtt");
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(request().value(HeaderName::sec_websocket_protocol), "mqtt");
  EXPECT_EQ(answer(), "");  // none chosen
  response().set(HeaderName::sec_websocket_protocol, "mqtt");
  EXPECT_EQ(answer(), "");
  response().set(HeaderName::sec_websocket_protocol, "chat");  // allowed, but not offered
  EXPECT_EQ(answer(), "websocket_answer_denied");
  request().set(HeaderName::sec_websocket_protocol, "soap");
  EXPECT_EQ(ask(), "websocket_subprotocol_denied");
  EXPECT_EQ(reply->status, 403);
}

TEST_F(WebsocketTest, WithoutAListAllSubprotocolsPass) {
  upgrade();
  request().add(HeaderName::sec_websocket_protocol, "soap");
  EXPECT_EQ(ask(), "");
  response().set(HeaderName::sec_websocket_protocol, "anything");
  EXPECT_EQ(answer(), "");
}

TEST_F(WebsocketTest, CompressionPassesOrIsTakenOut) {
  upgrade();
  request().add(HeaderName::sec_websocket_extensions, "foo, permessage-deflate; x=1");
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(request().value(HeaderName::sec_websocket_extensions), "permessage-deflate; x=1");
  response().set(HeaderName::sec_websocket_extensions, "permessage-deflate");
  EXPECT_EQ(answer(), "");
  use("{compression: refuse}");
  EXPECT_EQ(ask(), "");
  EXPECT_FALSE(request().has(HeaderName::sec_websocket_extensions));
  EXPECT_EQ(answer(), "websocket_answer_denied");
}

TEST_F(WebsocketTest, TheBackendSwitchesToWhatWasAskedFor) {
  EXPECT_EQ(answer(101, "websocket"), "websocket_answer_denied");
  EXPECT_EQ(answer(101, "foo"), "");
  EXPECT_EQ(answer(200, ""), "");
  upgrade();
  EXPECT_EQ(answer(101, "foo"), "websocket_answer_denied");
  EXPECT_EQ(answer(101, "websocket"), "");
}

TEST_F(WebsocketTest, MistakesAreNamed) {
  constexpr std::string_view kOrigin =
      "must be an origin such as https://app.example.com or https://*.example.com, or \"*\"";
  for (const std::string_view origin : {"example.com", "https://a.example/", "://a", "https://"}) {
    const std::string errors =
        errors_of_item("websocket: {origins: [\"" + std::string(origin) + "\"]}");
    EXPECT_TRUE(errors.contains(kOrigin)) << errors;
  }
  EXPECT_FALSE(errors_of_item("websocket: {subprotocols: [\"a b\"]}").empty());
  EXPECT_FALSE(errors_of_item("websocket: {idle_timeout: 1ms}").empty());
}

}  // namespace
}  // namespace doorward::policy
