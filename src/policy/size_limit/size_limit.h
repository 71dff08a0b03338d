// policy/size_limit: refuses a request whose body is larger than a limit (413): at once when
// Content-Length says so, else when the bytes that came are too many.
#pragma once

#include "base/units.h"
#include "policy/policy.h"
#include "schema/value.h"

namespace doorward::policy {

struct SizeLimitConfig {
  Bytes max = 1_MiB;
};

extern const schema::SchemaOf<SizeLimitConfig>& kSizeLimitSchema;

class SizeLimit final : public Policy {
 public:
  explicit SizeLimit(SizeLimitConfig config) : config_(config) {}

  BodyNeed request_body_need() const override { return BodyNeed::stream; }
  Verdict on_request(PolicyContext& context) const override;
  Verdict on_request_body(PolicyContext& context, BodyPiece& piece) const override;

 private:
  struct Count {
    std::uint64_t bytes = 0;
  };
  Outcome refuse(PolicyContext& context) const;

  SizeLimitConfig config_;
};

}  // namespace doorward::policy
