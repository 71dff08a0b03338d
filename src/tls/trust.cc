#include "tls/trust.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <set>

#include "tls/errors.h"
#include "tls/pem.h"
#include "tls/revocation.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

// As PeerCertificate::id() has it.
std::set<std::string> ids_of(const std::vector<Owned<X509_CRL>>& lists) {
  std::set<std::string> ids;
  for (const Owned<X509_CRL>& list : lists) {
    const std::string issuer = name_text(X509_CRL_get_issuer(list.get()));
    const STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(list.get());
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
      const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
      ids.insert(serial_text(X509_REVOKED_get0_serialNumber(entry)) + " " + issuer);
    }
  }
  return ids;
}

// OpenSSL sorts a list when it first looks something up: not while other threads read it.
void sort_entries(X509_CRL* list) {
  const Owned<ASN1_INTEGER> any(ASN1_INTEGER_new());
  X509_REVOKED* entry = nullptr;
  X509_CRL_get0_by_serial(list, &entry, any.get());
}

// Of each issuer the list that lasts longest counts.
WallTime first_end(const std::vector<ListFacts>& lists) {
  std::map<std::string_view, WallTime> ends;
  for (const ListFacts& list : lists) {
    const auto [at, is_new] = ends.emplace(list.issuer, list.until);
    if (!is_new) at->second = std::max(at->second, list.until);
  }
  WallTime first = WallTime::max();
  for (const auto& [issuer, until] : ends) first = std::min(first, until);
  return first;
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
  made->file_ = bundle.name;
  made->bundle_ = sha256(bundle.text);
  made->digest_ = sha256(bundle.text + (crl ? crl->text : std::string()));
  // An intermediate in the bundle is trusted by itself, as users expect of what they wrote there.
  X509_STORE_set_flags(made->store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  if (crl) {
    if (auto done = made->add_lists(*crl); !done) return Failure(std::move(done.error()));
  }
  ERR_clear_error();
  return TrustPtr(made);
}

Result<void> Trust::add_lists(const PemFile& crl) {
  auto lists = parse_crls(crl.name, crl.text);
  if (!lists) return Failure(std::move(lists.error()));
  for (const Owned<X509_CRL>& list : *lists) {
    X509_STORE_add_crl(store_.get(), list.get());
    ListFacts facts{name_text(X509_CRL_get_issuer(list.get())),
                    time_of(X509_CRL_get0_lastUpdate(list.get()))};
    const ASN1_TIME* until = X509_CRL_get0_nextUpdate(list.get());
    if (until != nullptr) facts.until = time_of(until);
    list_facts_.push_back(std::move(facts));
    sort_entries(list.get());
  }
  lists_until_ = first_end(list_facts_);
  lists_ = std::move(*lists);
  list_file_ = crl.name;
  check_revocation(store_.get(), *this);
  return {};
}

bool Trust::has_list_of(const X509* authority) const {
  const X509_NAME* name = X509_get_subject_name(authority);
  return std::ranges::any_of(lists_, [name](const Owned<X509_CRL>& list) {
    return X509_NAME_cmp(X509_CRL_get_issuer(list.get()), name) == 0;
  });
}

bool Trust::revokes(X509* certificate) const {
  return std::ranges::any_of(lists_, [certificate](const Owned<X509_CRL>& list) {
    X509_REVOKED* entry = nullptr;
    return X509_CRL_get0_by_cert(list.get(), &entry, certificate) == 1;
  });
}

bool Trust::revokes(std::string_view id) const {
  const std::size_t space = id.find(' ');
  BIGNUM* read = nullptr;
  BN_hex2bn(&read, std::string(id.substr(0, space)).c_str());
  const Owned<BIGNUM> number(read);
  const Owned<ASN1_INTEGER> serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
  if (serial == nullptr) return false;
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    X509_REVOKED* entry = nullptr;
    const bool speaks_of_it = list_facts_[i].issuer == id.substr(space + 1);
    if (speaks_of_it && X509_CRL_get0_by_serial(lists_[i].get(), &entry, serial.get()) == 1) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> Trust::revoked_since(const Trust& before) const {
  if (lists_.empty() || digest_ == before.digest_) return {};
  const std::set<std::string> now = ids_of(lists_), then = ids_of(before.lists_);
  std::vector<std::string> fresh;
  std::ranges::set_difference(now, then, std::back_inserter(fresh));
  return fresh;
}

}  // namespace doorward::tls
