// Who comes in with which certificate.
#include "policy/client_certificate/client_certificate.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

tls::HandshakeFacts facts_of(std::shared_ptr<const tls::PeerCertificate> certificate) {
  tls::HandshakeFacts facts;
  facts.peer_certificate = std::move(certificate);
  return facts;
}

tls::HandshakeFacts app() {
  return facts_of(std::make_shared<const tls::PeerCertificate>(
      tls::PeerCertificate{.subject = "CN=app-1,O=Example",
                           .issuer = {},
                           .names = {"DNS:app.example", "URI:spiffe://example/ns/shop/sa/app"},
                           .serial = {},
                           .fingerprint = std::string(64, 'a'),
                           .not_after = WallTime(std::chrono::seconds(10'000))}));
}

// The code of its answer; "pass" when it lets the request go on.
std::string decided(std::string_view settings, const tls::HandshakeFacts* facts) {
  FakeContext context;
  context.tls_facts = facts;
  const auto policy = policy_of("client_certificate: " + std::string(settings));
  const Outcome outcome = policy->on_request(context).take();
  if (outcome.reply == nullptr) return "pass";
  EXPECT_EQ(outcome.reply->status, 403);
  return std::string(outcome.reply->code);
}

TEST(ClientCertificate, WantsAVerifiedOne) {
  const tls::HandshakeFacts none = facts_of(nullptr), known = app();
  EXPECT_EQ(decided("{}", nullptr), "client_certificate_missing");
  EXPECT_EQ(decided("{}", &none), "client_certificate_missing");
  EXPECT_EQ(decided("{subject: '*'}", &none), "client_certificate_missing");
  EXPECT_EQ(decided("{}", &known), "pass");
}

TEST(ClientCertificate, OneItemOfEachListMustFit) {
  const tls::HandshakeFacts known = app();
  EXPECT_EQ(decided("{subject: ['CN=x', 'CN=app-*,O=Example']}", &known), "pass");
  EXPECT_EQ(decided("{subject: 'CN=app-1'}", &known), "client_certificate_denied");
  EXPECT_EQ(decided("{name: 'URI:spiffe://example/ns/shop/*'}", &known), "pass");
  EXPECT_EQ(decided("{name: 'DNS:*.other'}", &known), "client_certificate_denied");
  EXPECT_EQ(decided("{fingerprint: '" + std::string(64, 'A') + "'}", &known), "pass");
  EXPECT_EQ(decided("{fingerprint: '" + std::string(64, 'b') + "'}", &known),
            "client_certificate_denied");
  EXPECT_EQ(decided("{subject: '*', name: 'DNS:other'}", &known), "client_certificate_denied");
}

TEST(ClientCertificate, WebSocketsEndWithTheCertificateThatLetThemIn) {
  FakeContext context;
  const tls::HandshakeFacts known = app();
  context.tls_facts = &known;
  EXPECT_TRUE(policy_of("client_certificate: {subject: x}")->on_request(context).take().reply);
  EXPECT_TRUE(context.websocket_credentials.empty());
  EXPECT_FALSE(policy_of("client_certificate: {}")->on_request(context).take().reply);
  EXPECT_EQ(context.websocket_credentials, std::vector<std::string>{"tls"});
}

TEST(ClientCertificate, NamesItsMistakes) {
  EXPECT_NE(errors_of_item("client_certificate: {name: app.example}").find("DNS:app.example"),
            std::string::npos);
  EXPECT_NE(errors_of_item("client_certificate: {fingerprint: abcd}").find("64 hex digits"),
            std::string::npos);
  EXPECT_NE(errors_of_item("client_certificate: {subjects: a}").find("subject"), std::string::npos);
}

}  // namespace
}  // namespace doorward::policy
