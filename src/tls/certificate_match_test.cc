#include "tls/certificate_match.h"

#include <gtest/gtest.h>

namespace doorward::tls {
namespace {

PeerCertificate app() {
  return {.subject = "CN=app-1,O=Example",
          .issuer = "CN=ca",
          .names = {"DNS:app.example", "URI:spiffe://example/ns/shop/sa/app"},
          .serial = "01",
          .fingerprint = std::string(64, 'a')};
}

TEST(CertificateMatch, AsksForNothingWhenEmpty) {
  EXPECT_TRUE(CertificateMatch{}.fits(app()));
  EXPECT_TRUE(CertificateMatch{}.fits({}));
}

TEST(CertificateMatch, OneOfEachListMustFit) {
  EXPECT_TRUE((CertificateMatch{.subjects = {"CN=x", "CN=app-*,O=Example"}}.fits(app())));
  EXPECT_FALSE((CertificateMatch{.subjects = {"CN=app-1"}}.fits(app())));
  EXPECT_TRUE((CertificateMatch{.names = {"URI:spiffe://example/ns/shop/*"}}.fits(app())));
  EXPECT_FALSE((CertificateMatch{.names = {"app.example"}}.fits(app())));
  EXPECT_FALSE((CertificateMatch{.names = {"*"}}.fits({})));
  EXPECT_TRUE((CertificateMatch{.fingerprints = {std::string(64, 'a')}}.fits(app())));
  EXPECT_FALSE((CertificateMatch{.fingerprints = {std::string(64, 'b')}}.fits(app())));
  EXPECT_FALSE((CertificateMatch{.subjects = {"*"}, .names = {"DNS:other"}}.fits(app())));
}

TEST(CertificateMatch, FingerprintsAreReadAsToolsWriteThem) {
  std::string colons;
  for (int i = 0; i < 32; ++i) colons += i == 0 ? "AB" : ":AB";
  std::string plain;
  for (int i = 0; i < 32; ++i) plain += "ab";
  EXPECT_EQ(normal_fingerprint(colons), plain);
  EXPECT_EQ(normal_fingerprint(plain), plain);
  EXPECT_EQ(normal_fingerprint(plain.substr(1)), "");
  EXPECT_EQ(normal_fingerprint(std::string(64, 'g')), "");
  EXPECT_EQ(normal_fingerprint(""), "");
}

}  // namespace
}  // namespace doorward::tls
