// Which hosts of the routes no certificate is for.
#include "config/tls_hosts.h"

#include <algorithm>

#include "config/tls_config_fixture.h"

namespace doorward::config {
namespace {

TEST_F(TlsConfigTest, HostsWithoutACertificate) {
  const std::string routes =
      "routes:\n"
      "  - {match: {host: shop.example}, respond: {}}\n"
      "  - {match: {host: [other.example, \"*.shop.example\"]}, respond: {}}\n"
      "  - {match: {host: \"*\", path: /x}, respond: {}}\n";
  const std::string tls = "{address: \":1\", tls: {certificates: DIR/a.pem}}";
  make("listeners: [" + tls + "]\n" + routes);
  EXPECT_EQ(findings,
            "6:21: warning: routes[1].match.host[0]: no certificate is for other.example: clients "
            "that ask for it over TLS will refuse what they get\n"
            "6:36: warning: routes[1].match.host[1]: no certificate is for *.shop.example: clients "
            "that ask for it over TLS will refuse what they get\n");
  // Routes answer on all listeners, so a listener in cleartext besides changes nothing, …
  const std::string alone = findings;
  make("listeners: [" + tls + ", {address: \":2\"}]\n" + routes);
  EXPECT_EQ(findings, alone);
  // … unless names without a certificate are refused; then they may be meant for cleartext, if
  // nobody who comes so is sent to https.
  const std::string both = "listeners: [" + replaced(tls, "a.pem", "a.pem, strict_sni: true") +
                           ", {address: \":2\"}]\n" + routes;
  make(both);
  EXPECT_EQ(findings, "");
  make("policies_everywhere: [{https_redirect: {}}]\n" + both);
  EXPECT_NE(findings, "");
  make(replaced(both, "\":2\"", "\":2\", https_redirect: {}"));
  EXPECT_NE(findings, "");
}

TEST_F(TlsConfigTest, InternalNamesMayBeMeantForCleartext) {
  const std::string routes =
      "routes: [{match: {host: [orders, localhost, 10.0.0.1, a.internal, a.svc.cluster.local]}, "
      "respond: {}}]\n";
  const std::string tls = "{address: \":1\", tls: {certificates: DIR/a.pem}}";
  make("listeners: [" + tls + ", {address: \":2\"}]\n" + routes);
  EXPECT_EQ(findings, "");
  make("listeners: [" + tls + "]\n" + routes);
  EXPECT_EQ(std::ranges::count(findings, '\n'), 5) << findings;
}

TEST_F(TlsConfigTest, AWildcardsHostNeedsAWildcardsCertificate) {
  const auto wild = [](std::string sans) {
    const Issued leaf = issue(server(std::move(sans)), &ca());
    return leaf.certificate_pem() + leaf.key_pem();
  };
  write("one.pem", wild("DNS:a.shop.example"));
  write("all.pem", wild("DNS:*.shop.example"));
  const std::string routes = "routes: [{match: {host: \"*.shop.example\"}, respond: {}}]\n";
  make("listeners: [{address: \":1\", tls: {certificates: DIR/one.pem}}]\n" + routes);
  EXPECT_TRUE(
      findings.ends_with("there are certificates for some names below shop.example only: "
                         "clients that ask for another over TLS will refuse what they get\n"))
      << findings;
  // Who asks for another name is refused, as is wanted.
  make("listeners: [{address: \":1\", tls: {certificates: DIR/one.pem, strict_sni: true}}]\n" +
       routes);
  EXPECT_EQ(findings, "");
  make("listeners: [{address: \":1\", tls: {certificates: DIR/all.pem}}]\n" + routes);
  EXPECT_EQ(findings, "");
}

TEST_F(TlsConfigTest, ListenersOfOnePortNeedTheSameNames) {
  const Issued leaf = issue(server("DNS:other.example"), &ca());
  write("other.pem", leaf.certificate_pem() + leaf.key_pem());
  const std::string routes =
      "routes: [{match: {host: [shop.example, other.example]}, respond: {}}]\n";
  const auto listeners = [](std::string_view second) {
    return fmt::format(
        "listeners:\n"
        "  - {{name: four, address: \"127.0.0.1:1\", tls: {{certificates: [DIR/a.pem, "
        "DIR/other.pem]}}}}\n"
        "  - {{name: six, address: \"{}\", tls: {{certificates: DIR/a.pem}}}}\n",
        second);
  };
  make(listeners("[::1]:1") + routes);
  EXPECT_EQ(findings,
            "6:40: warning: routes[0].match.host[1]: no certificate of listener six is for "
            "other.example, and listener four on the same port has one: clients that ask the "
            "first for it over TLS will refuse what they get\n");
  make(listeners("[::]:2") + routes);  // each has names of its own
  EXPECT_EQ(findings, "");
}

}  // namespace
}  // namespace doorward::config
