// Any bytes as a PEM file of certificates, a key, a CA bundle and a revocation list, and as an OCSP
// response: they become values or an error that names the file. The first byte chooses whether the
// rest is wrapped into a PEM block, so that the parsers below PEM are reached.
#include <cstddef>
#include <cstdint>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "tls/certificate_checks.h"
#include "tls/certificate_set.h"
#include "tls/facts.h"
#include "tls/pem.h"
#include "tls/trust.h"

namespace {

using namespace doorward;

std::string wrapped(std::string_view label, std::string_view der) {
  std::vector<unsigned char> text(der.size() / 3 * 4 + 5);
  const int size = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(der.data()),
                                   static_cast<int>(der.size()));
  const std::string_view base64(reinterpret_cast<const char*>(text.data()),
                                static_cast<std::size_t>(size));
  std::string pem = "-----BEGIN " + std::string(label) + "-----\n";
  for (std::size_t at = 0; at < base64.size(); at += 64) {
    pem.append(base64.substr(at, 64)).append("\n");
  }
  return pem + "-----END " + std::string(label) + "-----\n";
}

template <class T>
void named(const Result<T>& result) {
  DOORWARD_CHECK(result.has_value() || result.error().cause.starts_with("fuzz.pem: "));
  DOORWARD_CHECK(ERR_peek_error() == 0);  // nothing is left for the next one to find
}

void read_certificates(const std::string& text) {
  const auto certificates = tls::parse_certificates("fuzz.pem", text, tls::kChainMax);
  named(certificates);
  if (!certificates) return;
  for (const auto& certificate : *certificates) {
    const tls::CertificateFacts facts = tls::facts_of(certificate.get());
    for (const std::string& name : facts.names) DOORWARD_CHECK(!name.empty());
    DOORWARD_CHECK(tls::peer_certificate(certificate.get()).fingerprint.size() == 64);
    ERR_clear_error();
  }
}

void read_file(const std::string& text) {
  const tls::PemFile file{"fuzz.pem", text};
  read_certificates(text);
  named(tls::parse_key("fuzz.pem", text));
  named(tls::parse_crls("fuzz.pem", text));
  named(tls::Trust::parse(file));
  const auto parsed = tls::Certificate::parse(file, file);
  named(parsed);
  if (!parsed) return;
  const tls::CertificateSet set({{*parsed, nullptr}});
  DOORWARD_CHECK(set.find("") != nullptr);
  (void)tls::check_certificate(**parsed, std::chrono::system_clock::now());
  named(tls::OcspStaple::parse("fuzz.pem", text, **parsed, std::chrono::system_clock::now()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      read_file(wrapped("CERTIFICATE", rest));
      break;
    case 1:
      read_file(wrapped("PRIVATE KEY", rest));
      break;
    case 2:
      read_file(wrapped("X509 CRL", rest));
      break;
    default:
      read_file(std::string(rest));
  }
  return 0;
}
