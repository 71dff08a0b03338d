// Certificates that clients show in the handshake: which are refused, with what reason, and what
// is told of the others.
#include "tls/raw_peer.h"
#include "tls/reasons.h"

namespace doorward::tls {
namespace {

class ClientCertificatesTest : public RawPeerTest {
 protected:
  // The server's reason when the client shows `leaf` (null: none).
  std::string_view server_refuses(const Issued* leaf) {
    server_.client_certificates = ClientCertificates::required;
    if (server_.client_trust == nullptr) server_.client_trust = trust(ca_);
    client_.certificate = leaf == nullptr ? nullptr : certificate(*leaf);
    Ends ends = shaken();
    EXPECT_FALSE(ends.server_result.has_value());
    if (!ends.server_result) {
      EXPECT_EQ(ends.server_result.error().side, Side::client);
    }
    // The client has finished before it hears of it (RFC 8446 §4.4.4): it does in recv.
    std::string got;
    std::optional<Error> error;
    if (ends.client_result) run(receive_text(*ends.client, 1, got, error, soon()));
    EXPECT_TRUE(error.has_value() && error->reason == reason::kPeerAlert);
    // The server has not looked at anything else that was sent to it.
    EXPECT_TRUE(error.has_value() && error->retry == Retry::yes);
    return ends.server_reason();
  }
};
DOORWARD_TLS_BOTH_BACKENDS(ClientCertificatesTest);

TEST_P(ClientCertificatesTest, JudgesClientCertificates) {
  const Issued good = issue({.cn = "app", .usage = "clientAuth"}, &ca_);
  const Issued expired = issue({.cn = "app", .from = -9 * kDay, .until = -kDay}, &ca_);
  const Issued other_ca = issue({.cn = "Other CA", .is_ca = true});
  const Issued stranger = issue({.cn = "app"}, &other_ca);
  const Issued server_only = issue({.cn = "app", .usage = "serverAuth"}, &ca_);
  EXPECT_EQ(server_refuses(nullptr), reason::kCertificateMissing);
  EXPECT_EQ(server_refuses(&expired), reason::kCertificateExpired);
  EXPECT_EQ(server_refuses(&stranger), reason::kUnknownCa);
  EXPECT_EQ(server_refuses(&server_only), reason::kCertificatePurpose);
  server_.client_trust = trust(ca_, revocation_list(ca_, {&good}));
  EXPECT_EQ(server_refuses(&good), reason::kCertificateRevoked);
  server_.client_trust = trust(ca_, revocation_list(ca_, {}, -kDay));
  EXPECT_EQ(server_refuses(&good), reason::kCrlUnusable);
  server_.client_trust = trust(ca_, revocation_list(other_ca, {}));
  EXPECT_EQ(server_refuses(&good), reason::kCrlUnusable);
}

// The whole chain is looked up, up to what is trusted by itself.
TEST_P(ClientCertificatesTest, JudgesEachCertificateOfTheChainByItsIssuersList) {
  const Issued middle = issue({.cn = "Middle", .is_ca = true}, &ca_);
  const Issued app = issue({.cn = "app", .usage = "clientAuth"}, &middle);
  const std::string of_middle = revocation_list(middle, {});
  server_.client_certificates = ClientCertificates::required;
  client_.certificate = certificate(app, &middle);
  const auto with = [&](const std::string& bundle, const std::string& lists) {
    server_.client_trust = *Trust::parse(pem(bundle, "ca.pem"), pem(lists, "crl.pem"));
    Ends ends = shaken();
    return ends.server_result ? std::string("passes") : ends.server_result.error().cause;
  };
  const std::string root = ca_.certificate_pem();
  EXPECT_EQ(with(root, of_middle + revocation_list(ca_, {})), "passes");
  EXPECT_EQ(with(root, of_middle + revocation_list(ca_, {&middle})),
            "TLS: the client sent a certificate that its issuer has revoked (certificate revoked; "
            "certificate: CN=Middle)");
  EXPECT_EQ(with(root, of_middle),
            "TLS: the client sent a certificate for which there is no usable revocation list "
            "(unable to get certificate CRL; CA: CN=Test CA)");
  EXPECT_EQ(with(root, revocation_list(ca_, {})),
            "TLS: the client sent a certificate for which there is no usable revocation list "
            "(unable to get certificate CRL; CA: CN=Middle)");
  // An intermediate in the bundle needs no list above it; one that names it counts.
  const std::string both = middle.certificate_pem() + root;
  for (const std::string& bundle : {middle.certificate_pem(), both}) {
    EXPECT_EQ(with(bundle, of_middle), "passes");
    EXPECT_EQ(with(bundle, of_middle + revocation_list(ca_, {})), "passes");
    EXPECT_TRUE(with(bundle, of_middle + revocation_list(ca_, {&middle})).contains("revoked"));
    EXPECT_TRUE(with(bundle, revocation_list(middle, {&app})).contains("certificate: CN=app"));
  }
}

TEST_P(ClientCertificatesTest, TellsTheClientsCertificate) {
  const Issued app = issue(
      {.cn = "app", .sans = "DNS:app.example,URI:spiffe://example/app", .usage = "clientAuth"},
      &ca_);
  server_.client_certificates = ClientCertificates::required;
  server_.client_trust = trust(ca_, revocation_list(ca_, {&leaf_}));
  client_.certificate = certificate(app);
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  const auto shown = ends.server->facts().peer_certificate;
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->subject, "CN=app");
  EXPECT_EQ(shown->issuer, "CN=Test CA");
  EXPECT_EQ(shown->names,
            (std::vector<std::string>{"DNS:app.example", "URI:spiffe://example/app"}));
  EXPECT_EQ(shown->fingerprint, client_.certificate->facts().fingerprint);
  EXPECT_EQ(shown->fingerprint.size(), 64u);
  EXPECT_GE(shown->serial.size(), 4u);
}

TEST_P(ClientCertificatesTest, AnOptionalClientCertificateMayBeAbsentButNotBad) {
  server_.client_certificates = ClientCertificates::optional;
  server_.client_trust = trust(ca_);
  Ends without = shaken();
  ASSERT_TRUE(without.ok()) << without.why();
  EXPECT_EQ(without.server->facts().peer_certificate, nullptr);
  client_.certificate = certificate(issue({.cn = "self"}));
  EXPECT_EQ(shaken().server_reason(), reason::kUnknownCa);
}

}  // namespace
}  // namespace doorward::tls
