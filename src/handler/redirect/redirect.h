// Redirect: sends the client elsewhere (RFC 9110 §15.4), the place made from a template.
#pragma once

#include "http/template.h"
#include "policy/policy.h"

namespace doorward::handler {

struct Redirect {
  http::Template to;
  std::uint16_t status = 308;

  // The Reply lives in the exchange's arena.
  http::Reply* reply(policy::PolicyContext& context) const;
};

}  // namespace doorward::handler
