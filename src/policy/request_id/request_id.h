// policy/request_id: gives each request an id, tells it to the backend and to the client, and makes
// it the one of logs, problems and {request.id}.
#pragma once

#include <string>

#include "http/header_name.h"
#include "policy/policy.h"
#include "schema/value.h"

namespace doorward::policy {

enum class RequestIdFormat : std::uint8_t { uuid, hex };

struct RequestIdConfig {
  std::string header = "x-request-id";
  bool trust = false;
  RequestIdFormat format = RequestIdFormat::uuid;
};

extern const schema::SchemaOf<RequestIdConfig>& kRequestIdSchema;

class RequestId final : public Policy {
 public:
  explicit RequestId(RequestIdConfig config);

  Verdict on_request(PolicyContext& context) const override;
  Verdict on_response(PolicyContext& context) const override;

 private:
  std::string_view incoming(const http::HeaderList& headers) const;
  std::string_view make(PolicyContext& context) const;
  void put(http::HeaderList& headers, std::string_view id) const;

  RequestIdConfig config_;
  http::HeaderName name_;
};

}  // namespace doorward::policy
