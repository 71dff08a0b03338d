#include "tls/trust.h"

#include <algorithm>
#include <array>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "tls/errors.h"
#include "tls/pem.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

Result<TrustPtr> Trust::system() {
  const std::shared_ptr<Trust> made(new Trust);
  made->store_.reset(X509_STORE_new());
  if (made->store_ == nullptr || X509_STORE_set_default_paths(made->store_.get()) != 1) {
    return openssl_failure("the system's root certificates cannot be read");
  }
  ERR_clear_error();  // a file that is missing leaves an error there
  made->digest_ = sha256("system");
  return TrustPtr(made);
}

Result<TrustPtr> Trust::parse(const PemFile& bundle, const std::optional<PemFile>& crl) {
  auto authorities = parse_certificates(bundle.name, bundle.text, kBundleMax);
  if (!authorities) return Failure(std::move(authorities.error()));
  const std::shared_ptr<Trust> made(new Trust);
  made->store_.reset(X509_STORE_new());
  for (const Owned<X509>& authority : *authorities) {
    X509_STORE_add_cert(made->store_.get(), authority.get());
  }
  made->authorities_ = std::move(*authorities);
  made->digest_ = sha256(bundle.text + (crl ? crl->text : std::string()));
  // An intermediate in the bundle is trusted by itself, as users expect of what they wrote there.
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (crl) {
    auto lists = parse_crls(crl->name, crl->text);
    if (!lists) return Failure(std::move(lists.error()));
    for (const Owned<X509_CRL>& list : *lists) {
      X509_STORE_add_crl(made->store_.get(), list.get());
      const ASN1_TIME* until = X509_CRL_get0_nextUpdate(list.get());
      if (until != nullptr) made->lists_until_ = std::min(made->lists_until_, time_of(until));
    }
    flags |= X509_V_FLAG_CRL_CHECK;
  }
  X509_STORE_set_flags(made->store_.get(), flags);
  ERR_clear_error();
  return TrustPtr(made);
}

}  // namespace doorward::tls
