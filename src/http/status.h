// Status codes: their reason phrases (IANA's registry) and what each says about content.
#pragma once

#include <string_view>

namespace doorward::http {

// "Not Found"; for an unknown code, its class ("Client Error"); never empty for 100..599.
std::string_view reason_phrase(int status);

// RFC 9110 §6.4.1: a response with this status never has content.
constexpr bool has_no_content(int status) {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace doorward::http
