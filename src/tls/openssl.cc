#include "tls/openssl.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace doorward::tls {

void OpensslFree::operator()(X509* object) const noexcept { X509_free(object); }
void OpensslFree::operator()(X509_STORE* object) const noexcept { X509_STORE_free(object); }
void OpensslFree::operator()(X509_CRL* object) const noexcept { X509_CRL_free(object); }
void OpensslFree::operator()(EVP_PKEY* object) const noexcept { EVP_PKEY_free(object); }
void OpensslFree::operator()(EVP_CIPHER* object) const noexcept { EVP_CIPHER_free(object); }
void OpensslFree::operator()(EVP_MAC* object) const noexcept { EVP_MAC_free(object); }
void OpensslFree::operator()(SSL* object) const noexcept { SSL_free(object); }
void OpensslFree::operator()(SSL_CTX* object) const noexcept { SSL_CTX_free(object); }
void OpensslFree::operator()(BIO* object) const noexcept { BIO_free(object); }
void OpensslFree::operator()(BIGNUM* object) const noexcept { BN_free(object); }
void OpensslFree::operator()(ASN1_INTEGER* object) const noexcept { ASN1_INTEGER_free(object); }
void OpensslFree::operator()(ssl_session_st* object) const noexcept { SSL_SESSION_free(object); }
void OpensslFree::operator()(stack_st_X509* object) const noexcept {
  sk_X509_pop_free(object, X509_free);
}
void OpensslFree::operator()(ocsp_response_st* object) const noexcept {
  OCSP_RESPONSE_free(object);
}
void OpensslFree::operator()(ocsp_basic_response_st* object) const noexcept {
  OCSP_BASICRESP_free(object);
}

}  // namespace doorward::tls
