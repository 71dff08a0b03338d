#include "tls/revocation.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "tls/trust.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

// Where a store has its Trust.
int trust_index() {
  static const int index = X509_STORE_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void free_detail(void*, void* detail, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(detail);
}

// … and an SSL what is told of its peer's chain.
int detail_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_detail);
  return index;
}

void note(X509_STORE_CTX* chain, std::string text) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (ssl == nullptr) return;
  delete static_cast<std::string*>(SSL_get_ex_data(ssl, detail_index()));
  SSL_set_ex_data(ssl, detail_index(), new std::string(std::move(text)));
}

bool is_for_want_of_a_list(int error) {
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
      return true;
    default:
      return false;
  }
}

int refuse(X509_STORE_CTX* chain, int error) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(chain);
  X509_STORE_CTX_set_error(chain, error);
  if (error == X509_V_ERR_CERT_REVOKED) {
    note(chain, "certificate: " + name_text(X509_get_subject_name(certificate)));
  } else {
    note(chain, "CA: " + name_text(X509_get_issuer_name(certificate)));
  }
  return 0;
}

// Called for each error, and at the end for each certificate.
int judge(int ok, X509_STORE_CTX* chain) {
  const int error = X509_STORE_CTX_get_error(chain);
  if (ok == 1) return 1;
  if (error == X509_V_ERR_CERT_REVOKED) return refuse(chain, error);
  if (!is_for_want_of_a_list(error)) return 0;
  const int last = sk_X509_num(X509_STORE_CTX_get0_chain(chain)) - 1;
  if (X509_STORE_CTX_get_error_depth(chain) != last) return refuse(chain, error);
  const auto* trust = static_cast<const Trust*>(
      X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(chain), trust_index()));
  X509* anchor = X509_STORE_CTX_get_current_cert(chain);
  if (trust->revokes(anchor)) return refuse(chain, X509_V_ERR_CERT_REVOKED);
  X509_STORE_CTX_set_error(chain, X509_V_OK);
  return 1;
}

}  // namespace

void check_revocation(X509_STORE* store, const Trust& trust) {
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  X509_STORE_set_ex_data(store, trust_index(), const_cast<Trust*>(&trust));
  X509_STORE_set_verify_cb(store, judge);
}

std::string revocation_detail(SSL* ssl) {
  const auto* detail = static_cast<std::string*>(SSL_get_ex_data(ssl, detail_index()));
  return detail == nullptr ? std::string() : *detail;
}

}  // namespace doorward::tls
