// FixedResponse: a route's own answer from the configuration.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/template.h"
#include "policy/policy.h"

namespace doorward::handler {

struct FixedResponse {
  std::uint16_t status = 200;
  http::Template body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, http::Template>> headers;

  // The Reply lives in the exchange's arena.
  http::Reply* reply(policy::PolicyContext& context) const;
};

}  // namespace doorward::handler
