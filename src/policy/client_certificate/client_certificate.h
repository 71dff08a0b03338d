// policy/client_certificate: lets in who has a verified client certificate, or certain ones (403).
// What the listener asks for with `mode: optional` is enforced with it, route by route.
#pragma once

#include <string>
#include <vector>

#include "policy/policy.h"
#include "schema/value.h"
#include "tls/certificate_match.h"

namespace doorward::policy {

struct ClientCertificateRules {
  std::vector<std::string> subjects;
  std::vector<std::string> names;
  std::vector<std::string> fingerprints;
};

extern const schema::SchemaOf<ClientCertificateRules>& kClientCertificateSchema;

class ClientCertificate final : public Policy {
 public:
  explicit ClientCertificate(const ClientCertificateRules& rules);

  Verdict on_request(PolicyContext& context) const override;

 private:
  tls::CertificateMatch wanted_;
};

}  // namespace doorward::policy
