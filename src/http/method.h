// Method and Version: the two small enumerations of a request line (RFC 9110 §9, §2.5).
// A method that has no name here is `other`; its text stays in the head.
#pragma once

#include <cstdint>
#include <string_view>

namespace doorward::http {

enum class Version : std::uint8_t { http10, http11, http2 };

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  del,
  options,
  patch,
  trace,
  connect,
  query,
  other
};

// Case-sensitive, as methods are; `other` for what is not known.
Method classify_method(std::string_view text);
// "GET"; empty for `other`.
std::string_view to_string(Method method);
std::string_view to_string(Version version);  // "HTTP/1.1"

// RFC 9110 §9.2.1 and §9.2.2; `other` is neither.
bool is_safe(Method method);
bool is_idempotent(Method method);

}  // namespace doorward::http
