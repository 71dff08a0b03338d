// Request targets and request lines (RFC 9112 §3): characters, forms, and the parts of an
// absolute target. Pure functions.
#pragma once

#include <string_view>

#include "codec/h1/framing.h"
#include "codec/h1/refusal.h"
#include "http/head.h"

namespace doorward::codec::h1 {

// `line` without CRLF -> method, target, version of `out`. Beyond RFC 3986 the characters
// [ ] | ^ ` { } are let through in paths and queries, and a backslash in queries: browsers send
// them as they are. `"`, `<`, `>`, spaces, controls, non-ASCII and `#` are refused.
Refusal read_request_line(std::string_view line, const ParseLimits& limits, http::RequestHead& out);

struct Target {
  std::string_view authority;       // absolute form only
  std::string_view path_and_query;  // see RequestParser::path_and_query
  bool https = false;
};
// Which form `target` has, and whether `method` may use it.
Refusal read_target(std::string_view target, http::Method method, Target& out);

}  // namespace doorward::codec::h1
