#include "tls/ocsp.h"

#include <fmt/chrono.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "tls/errors.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

constexpr std::chrono::minutes kClockSkew{5};
// A response without nextUpdate says that there is always a newer one (RFC 6960 §4.2.2.1).
constexpr std::chrono::hours kWithoutNextUpdate{24};

Failure wrong(std::string_view file, std::string_view what) {
  ERR_clear_error();
  return fail(ErrorKind::invalid, fmt::format("{}: {}", file, what));
}

// The answer for `certificate` among those of the response: the responder chose the digest by which
// it names it (RFC 6960 §4.1.1).
OCSP_SINGLERESP* find_answer(OCSP_BASICRESP* basic, X509* leaf, X509* issuer) {
  for (int i = 0; i < OCSP_resp_count(basic); ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic, i);
    const OCSP_CERTID* theirs = OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT* digest = nullptr;
    OCSP_id_get0_info(nullptr, &digest, nullptr, nullptr, const_cast<OCSP_CERTID*>(theirs));
    const EVP_MD* md = EVP_get_digestbyobj(digest);
    if (md == nullptr) continue;
    OCSP_CERTID* ours = OCSP_cert_to_id(md, leaf, issuer);
    const bool same = ours != nullptr && OCSP_id_cmp(ours, theirs) == 0;
    OCSP_CERTID_free(ours);
    if (same) return single;
  }
  return nullptr;
}

// Signed by the issuer, or by one whom it has appointed (RFC 6960 §4.2.2.2).
bool is_signed_by(OCSP_BASICRESP* basic, X509* issuer) {
  const Owned<X509_STORE> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), issuer);
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  const Owned<stack_st_X509> known(sk_X509_new_null());
  if (X509_up_ref(issuer) == 1) sk_X509_push(known.get(), issuer);
  return OCSP_basic_verify(basic, known.get(), store.get(), 0) == 1;
}

struct Times {
  WallTime this_update{};
  WallTime next_update{};
};

Result<Times> judge(std::string_view file, OCSP_SINGLERESP* answer, WallTime now) {
  ASN1_GENERALIZEDTIME* revoked = nullptr;
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  int why = 0;
  const int status = OCSP_single_get0_status(answer, &why, &revoked, &from, &until);
  if (status == V_OCSP_CERTSTATUS_REVOKED) return wrong(file, "says the certificate is revoked");
  if (status != V_OCSP_CERTSTATUS_GOOD) return wrong(file, "does not know the certificate");
  Times times;
  times.this_update = time_of(from);
  times.next_update = until != nullptr ? time_of(until) : times.this_update + kWithoutNextUpdate;
  if (times.this_update > now + kClockSkew) return wrong(file, "is from the future");
  if (times.next_update <= now) {
    return wrong(file,
                 fmt::format("is stale: a newer response was due at {:%Y-%m-%d %H:%M} UTC",
                             fmt::gmtime(std::chrono::system_clock::to_time_t(times.next_update))));
  }
  return times;
}

// The first responder over http: what it answers is signed, so TLS would add nothing but a circle.
std::string responder_of(X509* certificate) {
  STACK_OF(OPENSSL_STRING)* urls = X509_get1_ocsp(certificate);
  std::string found;
  for (int i = 0; i < sk_OPENSSL_STRING_num(urls) && found.empty(); ++i) {
    const std::string_view url = sk_OPENSSL_STRING_value(urls, i);
    if (url.starts_with("http://")) found = url;
  }
  X509_email_free(urls);
  return found;
}

std::string question_for(X509* leaf, X509* issuer) {
  OCSP_REQUEST* request = OCSP_REQUEST_new();
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), leaf, issuer);  // RFC 5019 §2.1.1
  unsigned char* der = nullptr;
  int size = -1;
  if (request != nullptr && id != nullptr && OCSP_request_add0_id(request, id) != nullptr) {
    size = i2d_OCSP_REQUEST(request, &der);
  } else {
    OCSP_CERTID_free(id);
  }
  std::string made;
  if (size > 0) made.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_REQUEST_free(request);
  return made;
}

}  // namespace

OcspStaplePtr OcspSlot::staple() const {
  const std::lock_guard lock(mutex_);
  return staple_;
}

void OcspSlot::put(OcspStaplePtr staple) {
  const std::lock_guard lock(mutex_);
  staple_.swap(staple);
}

Result<OcspQuestion> ocsp_question(const Certificate& certificate) {
  OcspQuestion question{responder_of(certificate.leaf()), {}};
  if (question.url.empty()) return wrong(certificate.file(), "names no OCSP responder");
  X509* issuer = certificate.issuer();
  if (issuer == nullptr) {
    return wrong(certificate.file(),
                 "does not contain the issuer's certificate, which a question "
                 "to its OCSP responder needs");
  }
  question.der = question_for(certificate.leaf(), issuer);
  if (question.der.empty()) return openssl_failure(certificate.file() + ": no OCSP question");
  ERR_clear_error();
  return question;
}

Result<OcspStaplePtr> OcspStaple::parse(std::string_view file, std::string_view der,
                                        const Certificate& certificate, WallTime now) {
  X509* issuer = certificate.issuer();
  if (issuer == nullptr) {
    return wrong(file, fmt::format("cannot be checked: {} does not contain the issuer's "
                                   "certificate",
                                   certificate.file()));
  }
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const Owned<OCSP_RESPONSE> response(
      d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (response == nullptr) return wrong(file, "is no OCSP response in DER");
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return wrong(file, fmt::format("is a responder's error: {}", OCSP_response_status_str(status)));
  }
  const Owned<OCSP_BASICRESP> basic(OCSP_response_get1_basic(response.get()));
  if (basic == nullptr) return wrong(file, "is an OCSP response of an unknown kind");
  OCSP_SINGLERESP* answer = find_answer(basic.get(), certificate.leaf(), issuer);
  if (answer == nullptr) return wrong(file, "is for another certificate");
  if (!is_signed_by(basic.get(), issuer)) return wrong(file, "is not signed by the issuer");
  auto times = judge(file, answer, now);
  if (!times) return Failure(std::move(times.error()));
  return OcspStaplePtr(new OcspStaple(der, times->next_update));
}

}  // namespace doorward::tls
