// policy/mock: answers the request itself, for what has no backend yet.
#pragma once

#include <string>
#include <vector>

#include "policy/policy.h"
#include "policy/template_setting.h"
#include "schema/value.h"

namespace doorward::policy {

struct MockConfig {
  std::uint16_t status = 200;
  RequestTemplate body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<schema::Keyed<RequestTemplate>> headers;
};

extern const schema::SchemaOf<MockConfig>& kMockSchema;

class Mock final : public Policy {
 public:
  explicit Mock(MockConfig config) : config_(std::move(config)) {}

  // The reply has its body on HEAD too: the exchange sends only its length.
  Verdict on_request(PolicyContext& context) const override;

 private:
  MockConfig config_;
};

}  // namespace doorward::policy
