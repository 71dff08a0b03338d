// policy/require_header: refuses requests that lack a header, or whose header has another value.
// The example of docs/guide/writing-a-policy.md.
#pragma once

#include <string>

#include "http/header_name.h"
#include "policy/policy.h"
#include "schema/value.h"

namespace doorward::policy {

struct RequireHeaderConfig {
  std::string name;
  std::string value;
  std::uint16_t status = 400;
};

extern const schema::SchemaOf<RequireHeaderConfig>& kRequireHeaderSchema;

class RequireHeader final : public Policy {
 public:
  explicit RequireHeader(RequireHeaderConfig config) : config_(std::move(config)) {}

  Verdict on_request(PolicyContext& context) const override;

 private:
  RequireHeaderConfig config_;
};

}  // namespace doorward::policy
