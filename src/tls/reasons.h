// Why TLS failed, as stable words: an Error's `reason`, a label of the metrics and a key of the
// reference. One table (reasons.cc) gives each word its sentence.
#pragma once

#include <span>
#include <string_view>

namespace doorward::tls {

namespace reason {
inline constexpr std::string_view kPlainHttp = "tls_plain_http";
inline constexpr std::string_view kNotTls = "tls_not_tls";
inline constexpr std::string_view kNoSharedVersion = "tls_no_shared_version";
inline constexpr std::string_view kNoSharedCipher = "tls_no_shared_cipher";
inline constexpr std::string_view kNoSharedGroup = "tls_no_shared_group";
inline constexpr std::string_view kNoSharedAlpn = "tls_no_shared_alpn";
inline constexpr std::string_view kUnknownName = "tls_unknown_name";
inline constexpr std::string_view kCertificateMissing = "tls_certificate_missing";
inline constexpr std::string_view kCertificateExpired = "tls_certificate_expired";
inline constexpr std::string_view kCertificateNotYetValid = "tls_certificate_not_yet_valid";
inline constexpr std::string_view kCertificateRevoked = "tls_certificate_revoked";
inline constexpr std::string_view kCertificatePurpose = "tls_certificate_purpose";
inline constexpr std::string_view kCertificateInvalid = "tls_certificate_invalid";
inline constexpr std::string_view kChainTooLong = "tls_chain_too_long";
inline constexpr std::string_view kCrlUnusable = "tls_crl_unusable";
inline constexpr std::string_view kUnknownCa = "tls_unknown_ca";
inline constexpr std::string_view kNameMismatch = "tls_name_mismatch";
inline constexpr std::string_view kPeerAlert = "tls_peer_alert";
inline constexpr std::string_view kBadRecord = "tls_bad_record";
inline constexpr std::string_view kProtocol = "tls_protocol_error";
inline constexpr std::string_view kTooManyEmptyRecords = "tls_too_many_empty_records";
inline constexpr std::string_view kTruncated = "tls_truncated";
inline constexpr std::string_view kClosedInHandshake = "tls_closed_in_handshake";
inline constexpr std::string_view kTimeout = "tls_timeout";
}  // namespace reason

struct Reason {
  std::string_view word;
  std::string_view sentence;  // follows "the client " or "the backend "
};

// All of them, for metrics and the reference.
std::span<const Reason> reasons();
// The place of a word in the list; its size for any other.
unsigned number_of(std::string_view word);
// The sentence of a word of the list.
std::string_view sentence_of(std::string_view word);

}  // namespace doorward::tls
