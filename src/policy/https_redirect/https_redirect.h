// policy/https_redirect: sends clients that came without TLS to the same place over https.
#pragma once

#include <string>

#include "policy/policy.h"
#include "schema/value.h"

namespace doorward::policy {

struct HttpsRedirectConfig {
  std::uint16_t status = 308;
  std::uint16_t port = 443;  // where clients reach the listener with TLS
};

extern const schema::SchemaOf<HttpsRedirectConfig>& kHttpsRedirectSchema;

class HttpsRedirect final : public Policy {
 public:
  explicit HttpsRedirect(HttpsRedirectConfig config);

  Verdict on_request(PolicyContext& context) const override;

 private:
  std::uint16_t status_;
  std::string port_;  // ":8443"; empty when it is https' own
};

}  // namespace doorward::policy
