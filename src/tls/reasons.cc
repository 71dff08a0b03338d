#include "tls/reasons.h"

#include <algorithm>
#include <array>

namespace doorward::tls {
namespace {

constexpr auto kReasons = std::to_array<Reason>({
    {reason::kPlainHttp, "speaks HTTP in cleartext where TLS is spoken"},
    {reason::kNotTls, "sent bytes that are not TLS"},
    {reason::kNoSharedVersion, "has no TLS version in common with Doorward"},
    {reason::kNoSharedCipher,
     "has no cipher suite or signature algorithm in common with Doorward and its certificate"},
    {reason::kNoSharedGroup, "has no key exchange group in common with Doorward"},
    {reason::kNoSharedAlpn, "has no application protocol (ALPN) in common with Doorward"},
    {reason::kUnknownName, "asked for a server name that no certificate is for"},
    {reason::kCertificateMissing, "sent no certificate where one is required"},
    {reason::kCertificateExpired, "sent a certificate that has expired"},
    {reason::kCertificateNotYetValid, "sent a certificate that is not valid yet"},
    {reason::kCertificateRevoked, "sent a certificate that its issuer has revoked"},
    {reason::kCertificatePurpose, "sent a certificate that is not meant for this use"},
    {reason::kCertificateInvalid, "sent a certificate that cannot be accepted"},
    {reason::kChainTooLong, "sent a chain of certificates that is longer than allowed"},
    {reason::kCrlUnusable, "sent a certificate for which there is no usable revocation list"},
    {reason::kUnknownCa, "sent a certificate of an issuer that is not trusted here"},
    {reason::kNameMismatch, "sent a certificate for another name"},
    {reason::kPeerAlert, "gave up with an alert"},
    {reason::kBadRecord, "sent a record that does not decrypt"},
    {reason::kProtocol, "broke the TLS protocol"},
    {reason::kTooManyEmptyRecords, "sent too many records without data, or reads no answers"},
    {reason::kTruncated, "closed the connection without ending TLS (close_notify)"},
    {reason::kClosedInHandshake, "closed the connection during the handshake"},
    {reason::kTimeout, "did not finish the handshake in time"},
});

}  // namespace

std::span<const Reason> reasons() { return kReasons; }

unsigned number_of(std::string_view word) {
  const auto at = std::find_if(kReasons.begin(), kReasons.end(),
                               [&](const Reason& reason) { return reason.word == word; });
  return static_cast<unsigned>(at - kReasons.begin());
}

std::string_view sentence_of(std::string_view word) {
  const unsigned number = number_of(word);
  return number < kReasons.size() ? kReasons[number].sentence : std::string_view();
}

}  // namespace doorward::tls
