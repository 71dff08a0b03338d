// Owning pointers for OpenSSL's objects, over its forward declarations only: a header may name them
// without drawing in the library. Each is freed by the *_free of its type.
#pragma once

#include <memory>
#include <openssl/types.h>

// What <openssl/types.h> leaves out.
struct ssl_session_st;
struct stack_st_X509;
struct ocsp_basic_response_st;

namespace doorward::tls {

struct OpensslFree {
  void operator()(X509* object) const noexcept;
  void operator()(X509_STORE* object) const noexcept;
  void operator()(X509_CRL* object) const noexcept;
  void operator()(EVP_PKEY* object) const noexcept;
  void operator()(EVP_CIPHER* object) const noexcept;
  void operator()(EVP_MAC* object) const noexcept;
  void operator()(SSL* object) const noexcept;
  void operator()(SSL_CTX* object) const noexcept;
  void operator()(BIO* object) const noexcept;
  void operator()(BIGNUM* object) const noexcept;
  void operator()(ASN1_INTEGER* object) const noexcept;
  void operator()(ssl_session_st* object) const noexcept;
  void operator()(stack_st_X509* object) const noexcept;  // frees its members too
  void operator()(ocsp_response_st* object) const noexcept;
  void operator()(ocsp_basic_response_st* object) const noexcept;
};

template <class T>
using Owned = std::unique_ptr<T, OpensslFree>;

}  // namespace doorward::tls
