// policy/external_auth: asks a service about each request. 2xx lets it pass, with chosen headers
// of the answer for the backend; a refusal goes to the client as the service gave it; no answer
// denies (503) or, when told so, allows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policy/header_rules.h"
#include "policy/path_template.h"
#include "policy/policy.h"
#include "policy/template_setting.h"
#include "schema/value.h"

namespace doorward::policy {

class PolicyBuild;

enum class OnError : std::uint8_t { deny, allow };

struct ExternalAuthConfig {
  std::string service;
  RequestTemplate path{"/"};
  std::string method = "GET";
  std::vector<std::string> headers = {"authorization", "cookie"};
  std::vector<std::string> to_backend;
  std::vector<std::string> to_client = {"www-authenticate", "location", "set-cookie"};
  Duration timeout{1'000};
  OnError on_error = OnError::deny;
};

extern const schema::SchemaOf<ExternalAuthConfig>& kExternalAuthSchema;

class ExternalAuth final : public Policy {
 public:
  // Null, with an error, when there is no such service.
  static std::unique_ptr<ExternalAuth> create(ExternalAuthConfig config, PolicyBuild& build);
  explicit ExternalAuth(ExternalAuthConfig config);

  Verdict on_request(PolicyContext& context) const override;

 private:
  Verdict ask(PolicyContext& context, CallRequest question) const;
  CallRequest question(PolicyContext& context, std::string_view target) const;
  Outcome allow(PolicyContext& context, const CallResponse& answer) const;
  Outcome refuse(PolicyContext& context, const CallResponse& answer) const;
  Outcome no_answer(PolicyContext& context, std::string_view why) const;
  std::string reason(const Error& error) const;

  ExternalAuthConfig config_;
  PathTemplate target_;
  NameSet shown_;
  NameSet to_backend_;
  NameSet to_client_;
};

}  // namespace doorward::policy
