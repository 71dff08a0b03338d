// What a route asks of a client's TLS: holds, precedence, what includes what, and why not.
#include "route/tls_condition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "route/explain.h"
#include "route/route_table.h"

namespace doorward::route {
namespace {

const std::string kPrint(64, 'a');

const tls::PeerCertificate kCertificate{.subject = "CN=app-1,O=Example",
                                        .issuer = {},
                                        .names = {"DNS:app.example", "URI:spiffe://example/app"},
                                        .serial = {},
                                        .fingerprint = kPrint};

tls::ClientTls client(std::string_view sni, const tls::PeerCertificate* certificate) {
  tls::ClientTls tls;
  tls.sni = sni;
  tls.certificate = certificate;
  return tls;
}

TlsCondition compiled(const TlsMatch& match) {
  std::vector<FieldProblem> problems;
  TlsCondition condition(match, problems);
  EXPECT_TRUE(problems.empty());
  return condition;
}

bool holds(const TlsMatch& match, const tls::ClientTls& tls) { return compiled(match).holds(&tls); }

std::string problems_of(const TlsMatch& match) {
  std::vector<FieldProblem> problems;
  const TlsCondition condition(match, problems);
  std::string out;
  for (const FieldProblem& one : problems) out += one.field + ": " + one.text + "\n";
  return out;
}

TEST(TlsCondition, HoldsWhenAllThatIsGivenDoes) {
  const tls::ClientTls known = client("api.example", &kCertificate);
  EXPECT_TRUE(holds({}, known));
  EXPECT_TRUE(holds({.snis = {"x", "API.example"}}, known));
  EXPECT_TRUE(holds({.snis = {"*.example"}}, known));
  EXPECT_FALSE(holds({.snis = {"example"}}, known));
  EXPECT_TRUE(holds({.subjects = {"CN=app-*"}}, known));
  EXPECT_TRUE(holds({.names = {"URI:spiffe://example/*"}}, known));
  EXPECT_TRUE(holds({.fingerprints = {std::string(64, 'A')}}, known));
  EXPECT_TRUE(holds({.certificate = true}, known));
  EXPECT_FALSE(holds({.certificate = false}, known));
  EXPECT_FALSE(holds({.snis = {"*"}, .subjects = {"CN=other"}}, known));
}

TEST(TlsCondition, WithoutTlsThereIsNoNameAndNoCertificate) {
  const tls::ClientTls none = client("", nullptr);
  EXPECT_FALSE(holds({.snis = {"a"}}, none));
  EXPECT_FALSE(holds({.subjects = {"*"}}, none));
  EXPECT_FALSE(holds({.certificate = true}, none));
  EXPECT_TRUE(holds({.certificate = false}, none));
  EXPECT_TRUE(compiled({.certificate = false}).holds(nullptr));
  EXPECT_FALSE(compiled({.snis = {"a"}}).holds(nullptr));
  EXPECT_TRUE(compiled({}).holds(nullptr));
}

TEST(TlsCondition, TellsWhatCannotBeUnderstood) {
  EXPECT_EQ(problems_of({.names = {"DNS:a", "a.example"}}),
            "tls.client_name[1]: \"a.example\" needs its kind before it, as in \"DNS:a.example\"; "
            "there are DNS, URI, EMAIL and IP\n");
  EXPECT_EQ(problems_of({.fingerprints = {"abc"}}),
            "tls.client_fingerprint: \"abc\" is no SHA-256 fingerprint (64 hex digits)\n");
  EXPECT_NE(problems_of({.subjects = {"a"}, .certificate = false}), "");
}

TEST(TlsCondition, KnowsWhatIncludesWhat) {
  const auto implied = [](const TlsMatch& by, const TlsMatch& match) {
    return compiled(match).implied_by(compiled(by));
  };
  EXPECT_TRUE(implied({.snis = {"a.x"}}, {}));
  EXPECT_FALSE(implied({}, {.snis = {"a.x"}}));
  EXPECT_TRUE(implied({.snis = {"a.x", "b.*.x"}}, {.snis = {"*.x"}}));
  EXPECT_FALSE(implied({.snis = {"*.x"}}, {.snis = {"a.x"}}));
  EXPECT_TRUE(implied({.subjects = {"CN=a"}}, {.certificate = true}));
  EXPECT_FALSE(implied({.snis = {"a"}}, {.certificate = true}));
  EXPECT_TRUE(implied({.certificate = false}, {.certificate = false}));
  EXPECT_FALSE(implied({}, {.certificate = false}));
  EXPECT_FALSE(implied({.certificate = true}, {.certificate = false}));
}

TEST(TlsCondition, EachListCountsOneInPrecedence) {
  const auto table = RouteTable::build(
      {{"any", {}, 0},
       {"certificate", {.tls = {.certificate = true}}, 1},
       {"app", {.tls = {.names = {"DNS:app.example", "DNS:b"}, .certificate = true}}, 2}});
  const auto winner = [&](const tls::ClientTls* tls) {
    const RouteMatch match = table->match({.host = "h", .path = "/", .tls = tls});
    return table->routes()[match.route].name;
  };
  const tls::PeerCertificate other{.subject = "CN=other"};
  const tls::ClientTls app = client("", &kCertificate), stranger = client("", &other);
  EXPECT_EQ(winner(&app), "app");
  EXPECT_EQ(winner(&stranger), "certificate");
  EXPECT_EQ(winner(nullptr), "any");
}

TEST(TlsCondition, ExplainsWhyNot) {
  const auto reason = [](const TlsMatch& match, const tls::ClientTls& tls) {
    const auto table = RouteTable::build({{"r", {.tls = match}, 0}});
    const Explanation why = explain(*table, {.host = "h", .path = "/", .tls = &tls});
    return fmt::format("{}", fmt::join(why.candidates[0].reasons, "; "));
  };
  const tls::ClientTls none = client("", nullptr), known = client("x", &kCertificate);
  EXPECT_EQ(reason({.snis = {"a", "b"}, .certificate = true}, none),
            "the name that the client asks for (SNI) is missing, the route wants one of \"a\", "
            "\"b\"; the client has no certificate");
  EXPECT_EQ(reason({.certificate = false}, known),
            "the client has a certificate, the route wants none");
  EXPECT_EQ(reason({.subjects = {"CN=b"}, .names = {"DNS:b"}}, known),
            "the subject of the client's certificate is \"CN=app-1,O=Example\", the route wants "
            "\"CN=b\"; no name of the client's certificate is \"DNS:b\"");
  EXPECT_EQ(reason({.fingerprints = {std::string(64, 'b')}}, known),
            "the client's certificate has none of the route's fingerprints");
  EXPECT_EQ(reason({.snis = {"x"}}, known), "");
}

}  // namespace
}  // namespace doorward::route
