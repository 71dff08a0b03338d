// client_certificate: the settings, and the decision.
#include "policy/client_certificate/client_certificate.h"

#include <fmt/format.h>

#include "schema/schema.h"

namespace doorward::policy {
namespace {

using schema::field;
using schema::one_or_many;

std::string name_problem(const std::string& name) {
  if (name.starts_with('*') || name.contains(':')) return {};
  return fmt::format("needs its kind before it, as in \"DNS:{}\"", name);
}

std::string fingerprint_problem(const std::string& written) {
  return tls::normal_fingerprint(written).empty() ? "must be 64 hex digits (SHA-256)"
                                                  : std::string();
}

constexpr auto kSchema = schema::schema<ClientCertificateRules>(
    "client_certificate",
    "Lets in clients that have shown a certificate which the listener's "
    "`tls.client_certificates.ca` vouches for (403 `client_certificate_missing`); with lists, only "
    "those that one item of each list fits (403 `client_certificate_denied`). In patterns `*` "
    "stands for any run of characters, dots, commas and slashes too. WebSockets that it let in end "
    "when the certificate expires or is revoked.",
    field("subject", &ClientCertificateRules::subjects,
          "Its subject (RFC 4514), a pattern: `CN=app-*,O=Example`.", one_or_many(),
          schema::is(schema::kNonEmpty)),
    field("name", &ClientCertificateRules::names,
          "A name in it (SAN) with its kind, a pattern: `DNS:app.example`, "
          "`URI:spiffe://example/ns/shop/*`.",
          one_or_many(), schema::is(schema::kNonEmpty), schema::checked(&name_problem)),
    field("fingerprint", &ClientCertificateRules::fingerprints,
          "Its SHA-256: 64 hex digits, colons between them or not.", one_or_many(),
          schema::checked(&fingerprint_problem)),
    schema::example("name: [\"DNS:*.apps.example\", \"URI:spiffe://example/ns/shop/*\"]\n"));

}  // namespace

const schema::SchemaOf<ClientCertificateRules>& kClientCertificateSchema = kSchema;

ClientCertificate::ClientCertificate(const ClientCertificateRules& rules)
    : wanted_{rules.subjects, rules.names, {}} {
  for (const std::string& written : rules.fingerprints) {
    wanted_.fingerprints.push_back(tls::normal_fingerprint(written));
  }
}

// Not 401: no challenge of HTTP's asks for a certificate (RFC 9110 §15.5.2 wants one).
Verdict ClientCertificate::on_request(PolicyContext& context) const {
  const tls::HandshakeFacts* facts = context.tls();
  if (facts == nullptr || facts->peer_certificate == nullptr) {
    return context.reply(403, "client_certificate_missing",
                         "Requests need a client certificate here.");
  }
  if (!wanted_.fits(*facts->peer_certificate)) {
    return context.reply(403, "client_certificate_denied",
                         "Requests with this client certificate are not allowed.");
  }
  context.end_websocket_with_certificate();
  return Outcome::pass();
}

}  // namespace doorward::policy
