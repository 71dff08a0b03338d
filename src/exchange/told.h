// What `doorward explain` and the debug answer (debug_answer.h) say in the same words.
#pragma once

#include <string>
#include <string_view>

#include "http/reply.h"
#include "route/explain.h"
#include "schema/diagnostics.h"

namespace doorward::exchange {

// "403 ip_denied"; a reply of no code is told by its status.
std::string told_reply(const http::Reply& reply);

// {"name":…,"kind":…,"mode":…}, to which the caller adds what the policy does.
schema::Json told_policy(std::string_view name, std::string_view kind, std::string_view mode);

// The routes that did not take the request, nearest first, each with why not.
schema::Json told_routes(const route::Explanation& why);

}  // namespace doorward::exchange
