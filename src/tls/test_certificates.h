// Certificates made at test time: authorities, leaves, revocation lists and OCSP responses, so that
// nothing secret or expiring lies in the repository. Only *_test.cc files include it.
#pragma once

#include <ctime>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string>
#include <vector>

#include "tls/certificate.h"
#include "tls/openssl.h"
#include "tls/trust.h"

namespace doorward::tls {

inline constexpr long kDay = 86'400;

struct Recipe {
  std::string cn;
  std::string sans;  // "DNS:a.example,IP:127.0.0.1"
  bool is_ca = false;
  int rsa_bits = 0;  // 0: P-256
  long from = -kDay;
  long until = 90 * kDay;
  const EVP_MD* digest = EVP_sha256();
  const char* usage = nullptr;  // extendedKeyUsage
  const char* aia = nullptr;    // authorityInfoAccess: "OCSP;URI:http://ocsp.example"
};

struct Issued {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;

  std::string certificate_pem() const;
  std::string key_pem() const;
};

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

inline std::string Issued::certificate_pem() const {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  return text_of(bio.get());
}

inline std::string Issued::key_pem() const {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

inline void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline Owned<EVP_PKEY> make_key(int rsa_bits) {
  if (rsa_bits > 0) return Owned<EVP_PKEY>(EVP_RSA_gen(static_cast<unsigned>(rsa_bits)));
  return Owned<EVP_PKEY>(EVP_EC_gen("P-256"));
}

// By `issuer`, or by itself.
inline Issued issue(const Recipe& recipe, const Issued* issuer = nullptr) {
  static long serial = 0x1000;
  Issued made;
  made.key = make_key(recipe.rsa_bits);
  made.certificate.reset(X509_new());
  X509* x509 = made.certificate.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), recipe.from);
  X509_gmtime_adj(X509_getm_notAfter(x509), recipe.until);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(recipe.cn.c_str()), -1, -1, 0);
  X509* by = issuer != nullptr ? issuer->certificate.get() : x509;
  X509_set_issuer_name(x509, X509_get_subject_name(by));
  X509_set_pubkey(x509, made.key.get());
  add_extension(x509, by, NID_basic_constraints, recipe.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (recipe.is_ca) add_extension(x509, by, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!recipe.sans.empty()) add_extension(x509, by, NID_subject_alt_name, recipe.sans);
  if (recipe.aia != nullptr) add_extension(x509, by, NID_info_access, recipe.aia);
  if (recipe.usage != nullptr) add_extension(x509, by, NID_ext_key_usage, recipe.usage);
  X509_sign(x509, (issuer != nullptr ? *issuer : made).key.get(), recipe.digest);
  return made;
}

inline PemFile pem(std::string text, std::string name = "test.pem") {
  return {std::move(name), std::move(text)};
}

// Leaf, its issuer and the key, as one file would hold them.
inline CertificatePtr certificate(const Issued& leaf, const Issued* issuer = nullptr) {
  std::string text = leaf.certificate_pem();
  if (issuer != nullptr) text += issuer->certificate_pem();
  const PemFile file = pem(text + leaf.key_pem());
  auto parsed = Certificate::parse(file, file);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().cause;
  return parsed ? *parsed : nullptr;
}

inline std::string revocation_list(const Issued& ca, const std::vector<const Issued*>& revoked,
                                   long until = 30 * kDay, long from = -2 * kDay) {
  const Owned<X509_CRL> list(X509_CRL_new());
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(ca.certificate.get()));
  ASN1_TIME* time = X509_gmtime_adj(nullptr, from);
  X509_CRL_set1_lastUpdate(list.get(), time);
  X509_gmtime_adj(time, until);
  X509_CRL_set1_nextUpdate(list.get(), time);
  X509_gmtime_adj(time, -kDay);
  for (const Issued* one : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(list.get(), entry);
  }
  ASN1_TIME_free(time);
  X509_CRL_sort(list.get());
  X509_CRL_sign(list.get(), ca.key.get(), EVP_sha256());
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(bio.get(), list.get());
  return text_of(bio.get());
}

inline TrustPtr trust(const Issued& ca, const std::string& crl = {}) {
  std::optional<PemFile> list;
  if (!crl.empty()) list = pem(crl, "crl.pem");
  auto parsed = Trust::parse(pem(ca.certificate_pem(), "ca.pem"), list);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().cause;
  return parsed ? *parsed : nullptr;
}

struct OcspRecipe {
  int status = V_OCSP_CERTSTATUS_GOOD;
  long from = -60;
  long until = kDay;
  const EVP_MD* id_digest = EVP_sha1();
};

// A DER response for `leaf`, signed by `signer`.
inline std::string ocsp_response(const Issued& leaf, const Issued& issuer, const Issued& signer,
                                 const OcspRecipe& recipe = {}) {
  const Owned<OCSP_BASICRESP> basic(OCSP_BASICRESP_new());
  OCSP_CERTID* id =
      OCSP_cert_to_id(recipe.id_digest, leaf.certificate.get(), issuer.certificate.get());
  ASN1_TIME* from = X509_gmtime_adj(nullptr, recipe.from);
  ASN1_TIME* until = X509_gmtime_adj(nullptr, recipe.until);
  ASN1_TIME* revoked = recipe.status == V_OCSP_CERTSTATUS_REVOKED ? from : nullptr;
  OCSP_basic_add1_status(basic.get(), id, recipe.status, 0, revoked, from, until);
  OCSP_basic_sign(basic.get(), signer.certificate.get(), signer.key.get(), EVP_sha256(), nullptr,
                  0);
  const Owned<OCSP_RESPONSE> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  ASN1_TIME_free(from);
  ASN1_TIME_free(until);
  OCSP_CERTID_free(id);
  return text;
}

}  // namespace doorward::tls
