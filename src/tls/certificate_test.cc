// Certificates from PEM: what is known of them, what is wrong with them, in which words.
#include "tls/certificate.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "tls/certificate_checks.h"
#include "tls/certificate_folder.h"
#include "tls/certificate_set.h"
#include "tls/facts.h"
#include "tls/pem.h"
#include "tls/test_certificates.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

WallTime now() { return std::chrono::system_clock::now(); }

const Issued& ca() {
  static const Issued made = issue({.cn = "Test CA", .is_ca = true});
  return made;
}

std::string error_of(const std::string& chain, const std::string& key) {
  auto parsed = Certificate::parse(pem(chain, "a.pem"), pem(key, "a.key"));
  return parsed ? "" : parsed.error().cause;
}

bool says(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

TEST(CertificateTest, KnowsItsFacts) {
  const Issued leaf =
      issue({.cn = "x", .sans = "DNS:A.Example,DNS:*.b.example,IP:10.1.2.3"}, &ca());
  const CertificatePtr own = certificate(leaf, &ca());
  const CertificateFacts& facts = own->facts();
  EXPECT_EQ(facts.names, (std::vector<std::string>{"a.example", "*.b.example"}));
  EXPECT_EQ(facts.addresses, std::vector<std::string>{"10.1.2.3"});
  EXPECT_EQ(facts.subject, "CN=x");
  EXPECT_EQ(facts.issuer, "CN=Test CA");
  EXPECT_EQ(to_string(facts.key), "ECDSA");
  EXPECT_EQ(facts.key_bits, 256);
  EXPECT_EQ(facts.signature, "SHA256");
  EXPECT_FALSE(facts.is_self_signed);
  EXPECT_LT(facts.not_before, now());
  EXPECT_GT(facts.not_after, now() + std::chrono::days(89));
  EXPECT_NE(own->issuer(), nullptr);
  EXPECT_EQ(certificate(leaf)->issuer(), nullptr);
  EXPECT_EQ(certificate(issue({.cn = "Only.CN"}, &ca()))->facts().names,
            std::vector<std::string>{"only.cn"});
}

TEST(CertificateTest, ReadsDatesThatAreFarAway) {
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> time(ASN1_TIME_new(),
                                                                   &ASN1_TIME_free);
  ASSERT_EQ(ASN1_TIME_set_string(time.get(), "99991231235959Z"), 1);
  EXPECT_GT(time_of(time.get()), now());
  ASSERT_EQ(ASN1_TIME_set_string(time.get(), "16221104010203Z"), 1);
  EXPECT_LT(time_of(time.get()), now());
}

TEST(CertificateTest, SaysWhatIsWrong) {
  const Issued leaf = issue({.cn = "a"}, &ca());
  const std::string chain = leaf.certificate_pem();
  const std::string key = leaf.key_pem();
  EXPECT_EQ(error_of(chain, key), "");
  EXPECT_EQ(error_of("", key), "a.pem: has no PEM certificate");
  EXPECT_EQ(error_of(key, key), "a.pem: has no PEM certificate");
  EXPECT_EQ(error_of(chain, chain), "a.key: has no PEM private key");
  EXPECT_EQ(error_of(chain, key + key), "a.key: has more than one private key");
  EXPECT_EQ(error_of(chain, ca().key_pem()),
            "a.key: the key does not belong to the certificate in "
            "a.pem");
  EXPECT_TRUE(says(error_of(ca().certificate_pem() + chain, key), "belongs to certificate 2"));
  std::string damaged = chain;
  damaged[chain.size() / 2] = '!';
  EXPECT_TRUE(says(error_of(damaged, key), "a.pem: a PEM block is damaged"));
  const std::string cut = chain.substr(0, chain.size() / 2);
  EXPECT_TRUE(says(error_of(cut, key), "a.pem: "));
  const std::string short_der = "-----BEGIN CERTIFICATE-----\nMAAw\n-----END CERTIFICATE-----\n";
  EXPECT_TRUE(says(error_of(short_der, key), "a.pem: certificate 1 is damaged"));
  EXPECT_TRUE(says(error_of(chain + short_der, key), "a.pem: certificate 2 is damaged"));
  const std::string locked =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAw\n-----END ENCRYPTED PRIVATE KEY-----\n";
  EXPECT_TRUE(says(error_of(chain, locked), "is encrypted"));
  std::string many;
  for (int i = 0; i < 40; ++i) many += chain;
  EXPECT_TRUE(says(error_of(many, key), "has more than 32 certificates"));
  auto missing = Certificate::load("/no/such.pem", "");
  ASSERT_FALSE(missing.has_value());
  EXPECT_TRUE(says(missing.error().cause, "/no/such.pem"));
}

TEST(CertificateTest, TakesEveryKindOfKeyBlock) {
  const Issued leaf = issue({.cn = "a", .rsa_bits = 2048}, &ca());
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey_traditional(bio.get(), leaf.key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr);
  EXPECT_TRUE(says(text_of(bio.get()), "RSA PRIVATE KEY"));
  EXPECT_EQ(error_of(leaf.certificate_pem(), text_of(bio.get())), "");
  EXPECT_EQ(to_string(certificate(leaf)->facts().key), "RSA");
}

// `file`: what findings of no list are about.
std::string codes(const std::vector<CertificateFinding>& findings, std::string_view file) {
  std::string all;
  for (const CertificateFinding& finding : findings) {
    const std::string about = fmt::format("{}: ", finding.of_lists ? "crl.pem" : file);
    EXPECT_TRUE(finding.text.starts_with(about)) << finding.text;
    all.append(finding.code).append(finding.is_error ? "! " : " ");
  }
  return all;
}

std::string codes(const Issued& leaf, const Issued& issuer = ca()) {
  return codes(check_certificate(*certificate(leaf, &issuer), now()), "test.pem");
}

TEST(CertificateTest, ChecksFindWhatWillFail) {
  EXPECT_EQ(codes(issue({.cn = "a"}, &ca())), "");
  EXPECT_EQ(codes(issue({.cn = "a", .from = -9 * kDay, .until = -kDay}, &ca())),
            "certificate_expired! ");
  EXPECT_EQ(codes(issue({.cn = "a", .from = kDay}, &ca())), "certificate_not_yet_valid! ");
  EXPECT_EQ(codes(issue({.cn = "a", .until = 20 * kDay}, &ca())), "certificate_expires_soon ");
  EXPECT_EQ(codes(issue({.cn = "a", .rsa_bits = 1024}, &ca())), "certificate_key_weak! ");
  EXPECT_EQ(codes(issue({.cn = "a", .digest = EVP_sha1()}, &ca())), "certificate_signature_weak! ");
  EXPECT_EQ(codes(issue({.cn = "a"})), "certificate_chain_order certificate_self_signed ");
}

TEST(CertificateTest, ChecksLookAtAllOfTheFile) {
  const auto below = [](Recipe recipe) {
    recipe.is_ca = true;
    recipe.cn = "Middle";
    const Issued middle = issue(recipe, &ca());
    return codes(issue({.cn = "a"}, &middle), middle);
  };
  EXPECT_EQ(below({}), "");
  EXPECT_EQ(below({.from = -9 * kDay, .until = -kDay}), "certificate_expired! ");
  EXPECT_EQ(below({.until = 20 * kDay}), "certificate_expires_soon ");
  EXPECT_EQ(below({.rsa_bits = 1024}), "certificate_key_weak! ");
  EXPECT_EQ(below({.digest = EVP_sha1()}), "certificate_signature_weak! ");
  const Issued root = issue({.cn = "Root", .is_ca = true, .digest = EVP_sha1()});
  EXPECT_EQ(codes(issue({.cn = "a"}, &root), root), "");  // nobody looks at a root's signature
  const Issued old = issue({.cn = "Old", .is_ca = true, .from = -9 * kDay, .until = -kDay}, &ca());
  const auto found = check_certificate(*certificate(issue({.cn = "a"}, &old), &old), now());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].text.starts_with("test.pem: certificate 2 of the file (CN=Old) expired on "))
      << found[0].text;
}

TEST(CertificateTest, AClientsOwnNamesNoHost) {
  const CertificatePtr own = certificate(issue({.cn = ""}, &ca()));
  EXPECT_EQ(codes(check_certificate(*own, now()), "test.pem"), "certificate_nameless ");
  EXPECT_EQ(codes(check_certificate(*own, now(), kExpiresSoon, ShownBy::client), "test.pem"), "");
}

std::string trust_codes(const std::string& bundle, const std::string& lists = {}) {
  std::optional<PemFile> crl;
  if (!lists.empty()) crl = pem(lists, "crl.pem");
  auto parsed = Trust::parse(pem(bundle, "ca.pem"), crl);
  EXPECT_TRUE(parsed.has_value());
  return parsed ? codes(check_trust(**parsed, now()), "ca.pem") : "";
}

TEST(TrustTest, ChecksFindWhatWillFail) {
  const Recipe old{.cn = "Old CA", .is_ca = true, .from = -9 * kDay, .until = -kDay};
  const std::string good = ca().certificate_pem();
  EXPECT_EQ(trust_codes(good), "");
  EXPECT_EQ(trust_codes(good + issue(old).certificate_pem()), "ca_expired! ");
  EXPECT_EQ(trust_codes(issue({.cn = "A", .is_ca = true, .until = 20 * kDay}).certificate_pem()),
            "ca_expires_soon ");
  EXPECT_EQ(trust_codes(issue({.cn = "A", .is_ca = true, .rsa_bits = 1024}).certificate_pem()),
            "ca_key_weak! ");
  // The old one may stay beside its successor, and a collection has always some that end.
  EXPECT_EQ(trust_codes(issue(old).certificate_pem() +
                        issue({.cn = "Old CA", .is_ca = true}).certificate_pem()),
            "");
  std::string collection = issue(old).certificate_pem();
  for (int i = 0; i < 20; ++i) collection += good;
  EXPECT_EQ(trust_codes(collection), "");
}

TEST(TrustTest, ChecksFindListsThatEndOrAreMissing) {
  const Issued middle = issue({.cn = "Middle", .is_ca = true}, &ca());
  const std::string root = ca().certificate_pem();
  const std::string of_root = revocation_list(ca(), {});
  EXPECT_EQ(trust_codes(root, of_root), "");
  EXPECT_EQ(trust_codes(root, revocation_list(ca(), {}, kDay / 2)), "crl_ends_soon ");
  EXPECT_EQ(trust_codes(root, revocation_list(ca(), {}, kDay)), "");  // of three
  EXPECT_EQ(trust_codes(root, revocation_list(ca(), {}, -kDay)), "crl_out_of_date! ");
  EXPECT_EQ(trust_codes(root, revocation_list(ca(), {}, -kDay) + of_root), "");
  const std::string early = revocation_list(ca(), {}, 60 * kDay, kDay);
  EXPECT_EQ(trust_codes(root, early), "crl_not_yet_valid! ");
  EXPECT_EQ(trust_codes(root, early + of_root), "");
  EXPECT_EQ(trust_codes(root, revocation_list(middle, {})), "crl_missing ");
  const std::string both = root + middle.certificate_pem();
  EXPECT_EQ(trust_codes(both, of_root + revocation_list(middle, {})), "");
  EXPECT_EQ(trust_codes(both, revocation_list(ca(), {&middle}) + revocation_list(middle, {})),
            "ca_revoked! ");
}

// Whoever takes the list apart at its commas must not find a name that the certificate lacks.
TEST(ClientTlsTest, NoNamePassesForTwo) {
  HandshakeFacts facts;
  PeerCertificate shown;
  shown.names = {"URI:spiffe://a/b", "URI:spiffe://a/b, DNS:admin.example, x", "DNS:\"a\\b;c\"",
                 "URI:x%2Cy"};
  facts.peer_certificate = std::make_shared<const PeerCertificate>(shown);
  Arena arena;
  EXPECT_EQ(ClientTls(facts).names(arena),
            "URI:spiffe://a/b, URI:spiffe://a/b%2C%20DNS:admin.example%2C%20x, "
            "DNS:%22a%5Cb%3Bc%22, URI:x%2Cy");
}

class FolderTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::string folder_ = testing::TempDir() + "doorward-tls-" + std::to_string(getpid());
};

TEST_F(FolderTest, TakesPairsAndSingleFiles) {
  const Issued one = issue({.cn = "one"}, &ca());
  const Issued two = issue({.cn = "two"}, &ca());
  write("1.crt", one.certificate_pem());
  write("1.key", one.key_pem());
  write("2.pem", two.certificate_pem() + two.key_pem());
  write("3.pem", two.certificate_pem());
  write("4.pem", two.certificate_pem());
  write("4.key", one.key_pem());
  write(".hidden.pem", "");
  write("notes.txt", "");
  auto folder = load_certificate_folder(folder_);
  ASSERT_TRUE(folder.has_value());
  ASSERT_EQ(folder->certificates.size(), 2u);
  EXPECT_EQ(folder->certificates[0]->facts().subject, "CN=one");
  EXPECT_EQ(folder->certificates[1]->facts().subject, "CN=two");
  ASSERT_EQ(folder->errors.size(), 1u);
  EXPECT_TRUE(says(folder->errors[0].cause, "4.key: the key does not belong to the certificate"));
  EXPECT_EQ(folder->without_key, std::vector{folder_ + "/3.pem"});
  EXPECT_FALSE(load_certificate_folder(folder_ + "/none").has_value());
}

TEST(CertificateSetTest, FindsByName) {
  const auto ec = certificate(issue({.cn = "a", .sans = "DNS:a.example,DNS:*.a.example"}, &ca()));
  const auto rsa =
      certificate(issue({.cn = "r", .sans = "DNS:a.example", .rsa_bits = 2048}, &ca()));
  const auto newer = certificate(issue({.cn = "n", .sans = "DNS:a.example"}, &ca()));
  const CertificateSet set({{ec, nullptr}, {rsa, nullptr}, {newer, nullptr}});
  ASSERT_NE(set.find("a.example"), nullptr);
  EXPECT_EQ(set.find("a.example")->size(), 2u);
  EXPECT_EQ(set.find("A.example")->front()->certificate, newer);
  EXPECT_EQ(set.find("b.a.example")->front()->certificate, ec);
  EXPECT_EQ(set.find("nowhere"), set.find(""));
  EXPECT_EQ(set.find(std::string(300, 'a')), set.find(""));
  const CertificateSet strict({{ec, nullptr}}, true);
  EXPECT_EQ(strict.find("nowhere"), nullptr);
  EXPECT_EQ(strict.find("c.b.a.example"), nullptr);
  EXPECT_EQ(CertificateSet({}).find("a"), nullptr);
}

TEST(TrustTest, SaysWhatIsWrong) {
  EXPECT_TRUE(Trust::system().has_value());
  EXPECT_EQ(Trust::parse(pem("", "ca.pem")).error().cause, "ca.pem: has no PEM certificate");
  const auto bundle = pem(ca().certificate_pem(), "ca.pem");
  EXPECT_TRUE(
      says(Trust::parse(bundle, pem("x", "crl.pem")).error().cause, "crl.pem: has no PEM "));
  EXPECT_EQ(trust(ca())->digest(), trust(ca())->digest());
  EXPECT_NE(trust(ca())->digest(), (*Trust::system())->digest());
}

TEST(TrustTest, KnowsWhomNewListsRevoke) {
  const Issued a = issue({.cn = "a"}, &ca()), b = issue({.cn = "b"}, &ca());
  const auto id = [](const Issued& one) { return peer_certificate(one.certificate.get()).id(); };
  const TrustPtr without = trust(ca()), with_a = trust(ca(), revocation_list(ca(), {&a})),
                 with_both = trust(ca(), revocation_list(ca(), {&b, &a}));
  using Ids = std::vector<std::string>;
  EXPECT_EQ(with_a->revoked_since(*without), Ids{id(a)});
  EXPECT_EQ(with_both->revoked_since(*with_a), Ids{id(b)});
  EXPECT_EQ(with_both->revoked_since(*with_both), Ids{});
  EXPECT_EQ(with_a->revoked_since(*with_both), Ids{});
  EXPECT_EQ(without->revoked_since(*with_both), Ids{});
  EXPECT_TRUE(with_a->revokes(id(a)));
  EXPECT_FALSE(with_a->revokes(id(b)));
  EXPECT_FALSE(without->revokes(id(a)));
  const Issued other = issue({.cn = "Other CA", .is_ca = true});
  EXPECT_FALSE(trust(other, revocation_list(other, {&a}))->revokes(id(a)));  // it is not its issuer
}

TEST(TrustTest, OfEachIssuerTheListThatLastsLongestCounts) {
  const std::string old = revocation_list(ca(), {}, -kDay), fresh = revocation_list(ca(), {}, kDay);
  EXPECT_LT(trust(ca(), old)->lists_until(), now());
  EXPECT_GT(trust(ca(), old + fresh)->lists_until(), now());
  const Issued other = issue({.cn = "Other CA", .is_ca = true});
  EXPECT_LT(trust(ca(), fresh + revocation_list(other, {}, -kDay))->lists_until(), now());
}

std::string staple_error(const std::string& der, const Issued& leaf, bool with_issuer = true) {
  const CertificatePtr own = certificate(leaf, with_issuer ? &ca() : nullptr);
  auto staple = OcspStaple::parse("a.ocsp", der, *own, now());
  return staple ? "" : staple.error().cause;
}

TEST(OcspStapleTest, TakesOnlyWhatClientsAccept) {
  const Issued leaf = issue({.cn = "a"}, &ca());
  const Issued other = issue({.cn = "b"}, &ca());
  const Issued responder = issue({.cn = "responder", .usage = "OCSPSigning"}, &ca());
  const Issued stranger = issue({.cn = "Stranger", .is_ca = true});
  const auto with = [&](const OcspRecipe& recipe) {
    return staple_error(ocsp_response(leaf, ca(), ca(), recipe), leaf);
  };
  EXPECT_EQ(with({}), "");
  EXPECT_EQ(with({.id_digest = EVP_sha256()}), "");
  EXPECT_EQ(staple_error(ocsp_response(leaf, ca(), responder), leaf), "");
  EXPECT_EQ(with({.status = V_OCSP_CERTSTATUS_REVOKED}), "a.ocsp: says the certificate is revoked");
  EXPECT_EQ(with({.status = V_OCSP_CERTSTATUS_UNKNOWN}), "a.ocsp: does not know the certificate");
  EXPECT_TRUE(says(with({.from = -2 * kDay, .until = -kDay}), "a.ocsp: is stale"));
  EXPECT_EQ(with({.from = kDay, .until = 2 * kDay}), "a.ocsp: is from the future");
  EXPECT_EQ(staple_error(ocsp_response(leaf, ca(), ca()), other),
            "a.ocsp: is for another certificate");
  EXPECT_EQ(staple_error(ocsp_response(leaf, ca(), stranger), leaf),
            "a.ocsp: is not signed by the issuer");
  EXPECT_EQ(staple_error(ocsp_response(leaf, ca(), other), leaf),
            "a.ocsp: is not signed by the issuer");
  EXPECT_EQ(staple_error("junk", leaf), "a.ocsp: is no OCSP response in DER");
  EXPECT_TRUE(says(staple_error("", leaf, false), "does not contain the issuer's certificate"));
}

TEST(OcspQuestionTest, GoesToTheResponderThatTheCertificateNames) {
  const Issued leaf =
      issue({.cn = "a", .aia = "OCSP;URI:https://a.example,OCSP;URI:http://b.example/x"}, &ca());
  const auto question = ocsp_question(*certificate(leaf, &ca()));
  ASSERT_TRUE(question.has_value()) << question.error().cause;
  EXPECT_EQ(question->url, "http://b.example/x");
  const auto* at = reinterpret_cast<const unsigned char*>(question->der.data());
  OCSP_REQUEST* request = d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(question->der.size()));
  ASSERT_NE(request, nullptr);
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), leaf.certificate.get(), ca().certificate.get());
  ASSERT_EQ(OCSP_request_onereq_count(request), 1);
  EXPECT_EQ(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), id), 0);
  OCSP_CERTID_free(id);
  OCSP_REQUEST_free(request);
}

TEST(OcspQuestionTest, NeedsAResponderAndTheIssuer) {
  const Issued silent = issue({.cn = "a"}, &ca());
  EXPECT_EQ(ocsp_question(*certificate(silent, &ca())).error().cause,
            "test.pem: names no OCSP responder");
  const Issued leaf = issue({.cn = "a", .aia = "OCSP;URI:http://b.example/x"}, &ca());
  EXPECT_TRUE(says(ocsp_question(*certificate(leaf)).error().cause,
                   "does not contain the issuer's certificate"));
}

}  // namespace
}  // namespace doorward::tls
