// policy/hsts: tells browsers to come over https only (RFC 6797).
#pragma once

#include <string>

#include "base/units.h"
#include "policy/policy.h"
#include "schema/value.h"

namespace doorward::policy {

struct HstsConfig {
  Duration max_age{std::chrono::days(365)};
  bool include_subdomains = false;
  bool preload = false;
};

// The field's value.
std::string hsts_value(const HstsConfig& config);

extern const schema::SchemaOf<HstsConfig>& kHstsSchema;

class Hsts final : public Policy {
 public:
  explicit Hsts(HstsConfig config) : value_(hsts_value(config)) {}

  Verdict on_response(PolicyContext& context) const override;

 private:
  std::string value_;
};

}  // namespace doorward::policy
