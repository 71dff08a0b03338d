#include "tls/errors.h"

#include <array>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls/reasons.h"
#include "tls/revocation.h"

namespace doorward::tls {
namespace {

struct Mapping {
  int from;
  std::string_view word;
};

// Of SSL_R_*; what is not here is tls_protocol_error.
constexpr auto kSslReasons = std::to_array<Mapping>({
    {SSL_R_HTTP_REQUEST, reason::kPlainHttp},
    {SSL_R_HTTPS_PROXY_REQUEST, reason::kPlainHttp},
    {SSL_R_WRONG_VERSION_NUMBER, reason::kNotTls},
    {SSL_R_UNSUPPORTED_PROTOCOL, reason::kNoSharedVersion},
    {SSL_R_VERSION_TOO_LOW, reason::kNoSharedVersion},
    {SSL_R_VERSION_TOO_HIGH, reason::kNoSharedVersion},
    {SSL_R_WRONG_SSL_VERSION, reason::kNoSharedVersion},
    {SSL_R_UNKNOWN_PROTOCOL, reason::kNoSharedVersion},
    {SSL_R_NO_SHARED_CIPHER, reason::kNoSharedCipher},
    {SSL_R_NO_CIPHERS_AVAILABLE, reason::kNoSharedCipher},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, reason::kNoSharedCipher},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, reason::kNoSharedCipher},
    {SSL_R_NO_SUITABLE_KEY_SHARE, reason::kNoSharedGroup},
    {SSL_R_NO_SHARED_GROUPS, reason::kNoSharedGroup},
    {SSL_R_NO_SUITABLE_GROUPS, reason::kNoSharedGroup},
    {SSL_R_NO_APPLICATION_PROTOCOL, reason::kNoSharedAlpn},
    {SSL_R_CALLBACK_FAILED, reason::kUnknownName},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, reason::kCertificateMissing},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, reason::kBadRecord},
    {SSL_R_DIGEST_CHECK_FAILED, reason::kBadRecord},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, reason::kTruncated},
    {SSL_R_RECORD_TOO_SMALL, reason::kTooManyEmptyRecords},
});

// Of X509_V_ERR_*; what is not here is tls_certificate_invalid.
constexpr auto kVerifyReasons = std::to_array<Mapping>({
    {X509_V_ERR_CERT_HAS_EXPIRED, reason::kCertificateExpired},
    {X509_V_ERR_CERT_NOT_YET_VALID, reason::kCertificateNotYetValid},
    {X509_V_ERR_CERT_REVOKED, reason::kCertificateRevoked},
    {X509_V_ERR_INVALID_PURPOSE, reason::kCertificatePurpose},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, reason::kChainTooLong},
    {X509_V_ERR_UNABLE_TO_GET_CRL, reason::kCrlUnusable},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, reason::kCrlUnusable},
    {X509_V_ERR_CRL_HAS_EXPIRED, reason::kCrlUnusable},
    {X509_V_ERR_CRL_NOT_YET_VALID, reason::kCrlUnusable},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, reason::kCrlUnusable},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, reason::kCrlUnusable},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, reason::kCrlUnusable},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, reason::kUnknownCa},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, reason::kUnknownCa},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, reason::kUnknownCa},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, reason::kUnknownCa},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, reason::kUnknownCa},
    {X509_V_ERR_CERT_UNTRUSTED, reason::kUnknownCa},
    {X509_V_ERR_HOSTNAME_MISMATCH, reason::kNameMismatch},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, reason::kNameMismatch},
});

template <std::size_t N>
std::string_view look_up(const std::array<Mapping, N>& table, int from, std::string_view other) {
  for (const Mapping& mapping : table) {
    if (mapping.from == from) return mapping.word;
  }
  return other;
}

// The first of SSL's own errors says what happened; those of its parts come before it.
unsigned long take_ssl_error() {
  unsigned long first = 0;
  while (const unsigned long code = ERR_get_error()) {
    if (first == 0 || (ERR_GET_LIB(first) != ERR_LIB_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL)) {
      first = code;
    }
  }
  return first;
}

std::string_view words_of(unsigned long code) {
  const char* words = ERR_reason_error_string(code);
  return words == nullptr ? std::string_view() : words;
}

Error verify_error(SSL* ssl, Side peer) {
  const long result = SSL_get_verify_result(ssl);
  std::string detail = X509_verify_cert_error_string(result);
  if (const std::string more = revocation_detail(ssl); !more.empty()) detail += "; " + more;
  Error error = peer_error(
      ErrorKind::protocol, peer,
      look_up(kVerifyReasons, static_cast<int>(result), reason::kCertificateInvalid), detail);
  error.code = static_cast<int>(result);
  return error;
}

// RFC 8446 §6.2: a fatal alert of the peer's.
Error alert_error(int alert, Side peer) {
  const bool alpn = alert == SSL_AD_NO_APPLICATION_PROTOCOL;  // RFC 7301 §3.2
  Error error =
      peer_error(ErrorKind::protocol, peer, alpn ? reason::kNoSharedAlpn : reason::kPeerAlert,
                 // which OpenSSL 3.0 has no words for
                 alert == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required"
                                                      : SSL_alert_desc_string_long(alert));
  error.code = alert;
  return error;
}

}  // namespace

std::string_view words_for(Side peer) {
  return peer == Side::client ? "the client" : "the backend";
}

Error peer_error(ErrorKind kind, Side peer, std::string_view word, std::string_view detail) {
  Error error{.kind = kind, .side = peer, .reason = word};
  error.cause = fmt::format("TLS: {} {}", words_for(peer), sentence_of(word));
  if (!detail.empty()) error.cause.append(" (").append(detail).append(")");
  return error;
}

Error ssl_error(SSL* ssl, Side peer) {
  const unsigned long code = take_ssl_error();
  if (code == 0 || ERR_GET_LIB(code) != ERR_LIB_SSL) {
    return peer_error(ErrorKind::protocol, peer, reason::kProtocol, words_of(code));
  }
  const int what = ERR_GET_REASON(code);
  if (what >= SSL_AD_REASON_OFFSET) return alert_error(what - SSL_AD_REASON_OFFSET, peer);
  if (what == SSL_R_CERTIFICATE_VERIFY_FAILED) return verify_error(ssl, peer);
  Error error = peer_error(ErrorKind::protocol, peer, look_up(kSslReasons, what, reason::kProtocol),
                           words_of(code));
  error.code = what;
  if (error.reason == reason::kTruncated) error.kind = ErrorKind::reset;
  return error;
}

Failure openssl_failure(std::string_view what) {
  const unsigned long code = ERR_peek_error();
  std::string cause(what);
  if (const std::string_view words = words_of(code); !words.empty()) {
    cause.append(": ").append(words);
  }
  ERR_clear_error();
  return fail(ErrorKind::invalid, std::move(cause));
}

}  // namespace doorward::tls
