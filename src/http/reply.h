// Reply: a response that Doorward makes itself (RFC 9457 problem+json, or a configured body),
// with its reason code. Its views live in the exchange's arena or are static.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/chunk.h"

namespace doorward::http {

struct ReplyHeader {
  std::string_view name;
  std::string_view value;
  const ReplyHeader* next = nullptr;
};

struct Reply {
  std::uint16_t status = 500;
  std::string_view code;  // stable snake_case reason, docs/reference/problems.md; empty: no problem
  std::string_view detail;  // one sentence for people, without secrets
  std::string_view policy;  // the policy that decided, filled in by the chain
  // A body of its own instead of problem+json.
  bool has_body = false;
  Chunk body;
  std::string_view content_type;
  const ReplyHeader* headers = nullptr;  // further headers
  bool close = false;                    // the connection cannot go on after it
};

}  // namespace doorward::http
