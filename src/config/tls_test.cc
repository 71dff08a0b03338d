// Contexts made of files, what lives on from one configuration to the next, and the finding of each
// file that cannot be used, with its place.
#include "config/tls.h"

#include "config/tls_config_fixture.h"

namespace doorward::config {
namespace {

TEST_F(TlsConfigTest, AListenerHasAContextForEachCore) {
  const SnapshotPtr made =
      listener("{certificates: [{certificate: DIR/a.crt, key: DIR/a.key}, DIR/a.pem]}");
  ASSERT_NE(made, nullptr) << findings;
  EXPECT_EQ(findings, "");
  const exchange::ListenerEntry& entry = made->listeners[0];
  ASSERT_EQ(entry.tls.size(), 2U);
  EXPECT_NE(entry.tls[0], entry.tls[1]);
  const tls::ServerSettings& settings = entry.tls[0]->settings();
  EXPECT_EQ(&settings, &entry.tls[1]->settings());
  EXPECT_EQ(settings.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_EQ(settings.certificates->all().size(), 2U);
  EXPECT_EQ(settings.tickets, entry.tickets);
  EXPECT_NE(entry.tickets, nullptr);
}

TEST_F(TlsConfigTest, CleartextHasNone) {
  const SnapshotPtr made = service("{endpoints: [\"http://a\"]}");
  ASSERT_NE(made, nullptr) << findings;
  EXPECT_TRUE(made->listeners[0].tls.empty());
  EXPECT_TRUE(made->services[0].tls.empty());
  EXPECT_EQ(made->services[0].config->tls.content, 0U);
}

TEST_F(TlsConfigTest, TicketKeysLiveOn) {
  const SnapshotPtr first = listener("{certificates: DIR/a.pem}");
  ASSERT_NE(first, nullptr) << findings;
  const SnapshotPtr second = listener("{certificates: DIR/a.pem, profile: modern}", first.get());
  EXPECT_EQ(second->listeners[0].tickets, first->listeners[0].tickets);
  EXPECT_EQ(second->listeners[0].tls[0]->settings().tickets, first->listeners[0].tickets);
  const SnapshotPtr third =
      listener("{certificates: DIR/a.pem, session_tickets: false}", second.get());
  EXPECT_EQ(third->listeners[0].tickets, nullptr);
}

TEST_F(TlsConfigTest, ListenersAreSetUpAsWritten) {
  write("crl.pem", tls::revocation_list(ca(), {}));
  const SnapshotPtr made = make(
      "listeners:\n"
      "  - address: \":1\"\n"
      "    http2: {enabled: false}\n"
      "    tls:\n"
      "      certificates: DIR/a.pem\n"
      "      strict_sni: true\n"
      "      profile: modern\n"
      "      client_certificates: {mode: optional, ca: DIR/ca.pem, crl: DIR/crl.pem, depth: 1}\n"
      "routes: [{respond: {}}]\n");
  ASSERT_NE(made, nullptr) << findings;
  const tls::ServerSettings& settings = made->listeners[0].tls[0]->settings();
  EXPECT_EQ(settings.alpn, std::vector<std::string>{"http/1.1"});
  EXPECT_EQ(settings.profile, tls::Profile::modern);
  EXPECT_EQ(settings.client_certificates, tls::ClientCertificates::optional);
  EXPECT_EQ(settings.verify_depth, 1);
  EXPECT_NE(settings.client_trust, nullptr);
  EXPECT_EQ(settings.certificates->find("nowhere.example"), nullptr);
}

TEST_F(TlsConfigTest, AFolderOfCertificates) {
  std::filesystem::create_directories(folder_ + "/certs");
  std::filesystem::copy_file(folder_ + "/a.pem", folder_ + "/certs/shop.pem",
                             std::filesystem::copy_options::overwrite_existing);
  write("certs/ca.crt", ca().certificate_pem());
  const SnapshotPtr made = listener("{certificates: [{folder: DIR/certs}]}");
  ASSERT_NE(made, nullptr) << findings;
  EXPECT_EQ(made->listeners[0].tls[0]->settings().certificates->all().size(), 1U);
  EXPECT_EQ(findings,
            "3:59: warning: listeners[0].tls.certificates[0].folder: DIR/certs/ca.crt is passed "
            "over: it has no private key inside or beside it\n");
}

struct Unusable {
  std::string_view tls;
  std::string_view finding;
};

TEST_F(TlsConfigTest, FilesThatCannotBeUsed) {
  write("bad.pem", "-----BEGIN CERTIFICATE-----\nMAAw\n-----END CERTIFICATE-----\n");
  write("crl.pem", "none");
  const Unusable all[] = {
      {"{certificates: DIR/none.pem}",
       "3:49: listeners[0].tls.certificates[0].certificate: there is no DIR/none.pem\n"},
      {"{certificates: DIR/empty}",
       "3:49: listeners[0].tls.certificates[0].certificate: DIR/empty is a folder; name a file in "
       "it\n"},
      {"{certificates: DIR/a.crt}",
       "3:49: listeners[0].tls.certificates[0].certificate: DIR/a.crt has no private key; name the "
       "key's file in \"key\"\n"},
      {"{certificates: [{certificate: DIR/a.crt, key: DIR/no.key}]}",
       "3:000: listeners[0].tls.certificates[0].key: there is no DIR/no.key\n"},
      {"{certificates: [{certificate: DIR/a.crt, key: DIR/other.key}]}",
       "3:000: listeners[0].tls.certificates[0].key: DIR/other.key: the key does not belong to the "
       "certificate in DIR/a.crt\n"},
      {"{certificates: [{certificate: DIR/bad.pem, key: DIR/a.key}]}",
       "3:64: listeners[0].tls.certificates[0].certificate: DIR/bad.pem: certificate 1 is damaged"},
      {"{certificates: [{certificate: DIR/a.pem, ocsp: DIR/no.ocsp}]}",
       "3:000: listeners[0].tls.certificates[0].ocsp: there is no DIR/no.ocsp\n"},
      {"{certificates: [{folder: DIR/empty}]}",
       "3:59: listeners[0].tls.certificates[0].folder: DIR/empty has no certificate: NAME.pem or "
       "NAME.crt beside NAME.key, or NAME.pem with the key inside\n"},
      {"{certificates: DIR/a.pem, client_certificates: {ca: DIR/a.key}}",
       "3:000: listeners[0].tls.client_certificates.ca: DIR/a.key: has no PEM certificate\n"},
      {"{certificates: DIR/a.pem, client_certificates: {ca: DIR/ca.pem, crl: DIR/crl.pem}}",
       "3:000: listeners[0].tls.client_certificates.crl: DIR/crl.pem: has no PEM revocation list "
       "(X509 CRL)\n"},
  };
  for (const Unusable& one : all) {
    EXPECT_EQ(listener(one.tls), nullptr) << one.tls;
    // Columns behind a name of the folder differ from machine to machine.
    const std::string_view expected = one.finding;
    if (expected.starts_with("3:000")) {
      EXPECT_EQ(findings.substr(findings.find(": ")), expected.substr(5));
    } else {
      EXPECT_TRUE(findings.starts_with(expected)) << findings;
    }
  }
}

TEST_F(TlsConfigTest, WhatClientsWillComplainOfIsAWarning) {
  write("old.pem", [] {
    Recipe recipe = server();
    recipe.from = -3 * tls::kDay;
    recipe.until = -tls::kDay;
    const Issued leaf = issue(recipe, &ca());
    return leaf.certificate_pem() + leaf.key_pem();
  }());
  EXPECT_NE(listener("{certificates: DIR/old.pem}"), nullptr);
  EXPECT_TRUE(findings.starts_with(
      "3:49: warning: listeners[0].tls.certificates[0].certificate: DIR/old.pem: expired on "))
      << findings;
  write("junk.ocsp", "junk");
  EXPECT_NE(
      listener("{certificates: [{ocsp: DIR/junk.ocsp, certificate: DIR/a.crt, key: DIR/a.key}]}"),
      nullptr);
  EXPECT_EQ(findings,
            "3:57: warning: listeners[0].tls.certificates[0].ocsp: DIR/junk.ocsp: is no OCSP "
            "response in DER; it is not sent along\n");
}

TEST_F(TlsConfigTest, CertificatesOfOneNameAndKindOfKeyCollide) {
  const Issued leaf = issue(server(), &ca());
  write("again.pem", leaf.certificate_pem() + leaf.key_pem());
  EXPECT_NE(listener("{certificates: [DIR/a.pem, DIR/again.pem]}"), nullptr);
  EXPECT_TRUE(findings.contains("warning: listeners[0].tls.certificates: DIR/a.pem is not sent to"))
      << findings;
  EXPECT_TRUE(findings.contains("DIR/again.pem is for it too, has the same kind of key"))
      << findings;
}

TEST_F(TlsConfigTest, ARevocationListThatRanOutIsAWarning) {
  write("crl.pem", tls::revocation_list(ca(), {}, -tls::kDay));
  EXPECT_NE(listener("{certificates: DIR/a.pem, client_certificates: {crl: DIR/crl.pem, ca: "
                     "DIR/ca.pem}}"),
            nullptr);
  EXPECT_TRUE(
      findings.contains("warning: listeners[0].tls.client_certificates.crl: DIR/crl.pem: "
                        "the list of CN=Test CA ran out on "))
      << findings;
  EXPECT_TRUE(findings.ends_with(": the clients of this CA are refused\n")) << findings;
}

TEST_F(TlsConfigTest, ARevocationListThatACaLacksIsAWarning) {
  const Issued middle = issue({.cn = "Middle", .is_ca = true}, &ca());
  write("crl.pem", tls::revocation_list(middle, {}));
  EXPECT_NE(listener("{certificates: DIR/a.pem, client_certificates: {crl: DIR/crl.pem, ca: "
                     "DIR/ca.pem}}"),
            nullptr);
  EXPECT_TRUE(findings.ends_with(
      "warning: listeners[0].tls.client_certificates.crl: DIR/crl.pem: there is no list of CN=Test "
      "CA: what it has issued is refused, unless that is in DIR/ca.pem itself\n"))
      << findings;
}

TEST_F(TlsConfigTest, NobodyIsAskedInModeNone) {
  const SnapshotPtr made =
      listener("{certificates: DIR/a.pem, client_certificates: {mode: none, ca: DIR/ca.pem}}");
  ASSERT_NE(made, nullptr) << findings;
  EXPECT_EQ(findings, "");
  const tls::ServerSettings& settings = made->listeners[0].tls[0]->settings();
  EXPECT_EQ(settings.client_certificates, tls::ClientCertificates::none);
  EXPECT_EQ(settings.client_trust, nullptr);
}

TEST_F(TlsConfigTest, WhatIsFetchedLivesOnWithItsCertificate) {
  Recipe recipe = server();
  recipe.aia = "OCSP;URI:http://ocsp.example";
  const Issued leaf = issue(recipe, &ca());
  write("aia.pem", leaf.certificate_pem() + ca().certificate_pem() + leaf.key_pem());
  constexpr std::string_view kTls = "{certificates: [DIR/aia.pem, DIR/a.pem], ocsp_stapling: true}";
  const auto fetched = [](const SnapshotPtr& made, std::size_t index) {
    return made->listeners[0].tls[0]->settings().certificates->all()[index].fetched;
  };
  const SnapshotPtr first = listener(kTls);
  ASSERT_NE(first, nullptr) << findings;
  EXPECT_TRUE(findings.ends_with(
      "warning: listeners[0].tls.certificates[1]: DIR/a.pem: names no OCSP responder; no OCSP "
      "response is sent along\n"))
      << findings;
  ASSERT_NE(fetched(first, 0), nullptr);
  EXPECT_EQ(fetched(first, 1), nullptr);
  EXPECT_EQ(fetched(listener(kTls, first.get()), 0), fetched(first, 0));
}

TEST_F(TlsConfigTest, AServiceHasAContextForEachCore) {
  const SnapshotPtr made =
      service("{endpoints: [\"https://a\", \"http://b\"], tls: {ca: DIR/ca.pem}}");
  ASSERT_NE(made, nullptr) << findings;
  EXPECT_EQ(made->services[0].tls.size(), 2U);
  EXPECT_NE(made->services[0].config->tls.content, 0U);
}

TEST_F(TlsConfigTest, AServiceIsAnotherWhenItsFilesAre) {
  constexpr std::string_view kSettings =
      "{endpoints: [\"https://a\"], tls: {ca: DIR/ca.pem, certificate: DIR/a.pem}}";
  const SnapshotPtr first = service(kSettings);
  ASSERT_NE(first, nullptr) << findings;
  const SnapshotPtr same = service(kSettings, first.get());
  EXPECT_EQ(*same->services[0].config, *first->services[0].config);
  EXPECT_EQ(same->services[0].tls, first->services[0].tls);
  const Issued renewed = issue(server(), &ca());
  write("a.pem", renewed.certificate_pem() + renewed.key_pem());
  const SnapshotPtr other = service(kSettings, first.get());
  EXPECT_NE(*other->services[0].config, *first->services[0].config);
  EXPECT_NE(other->services[0].tls, first->services[0].tls);
}

TEST_F(TlsConfigTest, FilesOfServicesThatCannotBeUsed) {
  EXPECT_EQ(service("{tls: {ca: DIR/no.pem}, endpoints: [\"https://a\"]}"), nullptr);
  EXPECT_EQ(findings, "4:28: services.app.tls.ca: there is no DIR/no.pem\n");
  EXPECT_EQ(
      service("{tls: {key: DIR/other.key, certificate: DIR/a.crt}, endpoints: [\"https://a\"]}"),
      nullptr);
  EXPECT_EQ(findings,
            "4:29: services.app.tls.key: DIR/other.key: the key does not belong to the certificate "
            "in DIR/a.crt\n");
}

}  // namespace
}  // namespace doorward::config
