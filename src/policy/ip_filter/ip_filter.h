// policy/ip_filter: lets in, or keeps out, clients by their address (403). The address is the one
// behind trusted proxies.
#pragma once

#include <vector>

#include "policy/ip_filter/ip_set.h"
#include "policy/policy.h"
#include "schema/value.h"

namespace doorward::policy {

struct IpFilterConfig {
  std::vector<text::Cidr> allow;
  std::vector<text::Cidr> deny;
};

extern const schema::SchemaOf<IpFilterConfig>& kIpFilterSchema;

class IpFilter final : public Policy {
 public:
  explicit IpFilter(const IpFilterConfig& config) : allow_(config.allow), deny_(config.deny) {}

  Verdict on_request(PolicyContext& context) const override;

 private:
  IpSet allow_;
  IpSet deny_;
};

}  // namespace doorward::policy
