// Names of methods and versions, and the properties RFC 9110 §9.2 gives to methods.
// Static text.
#include "http/method.h"

#include <array>

namespace doorward::http {
namespace {

constexpr std::array<std::string_view, 11> kNames = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY", ""};

}  // namespace

Method classify_method(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      return Method::other;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      return Method::other;
    case 5:
      if (text == "PATCH") return Method::patch;
      if (text == "QUERY") return Method::query;
      if (text == "TRACE") return Method::trace;
      return Method::other;
    case 6:
      return text == "DELETE" ? Method::del : Method::other;
    case 7:
      if (text == "OPTIONS") return Method::options;
      if (text == "CONNECT") return Method::connect;
      return Method::other;
    default:
      return Method::other;
  }
}

std::string_view to_string(Method method) { return kNames[static_cast<std::size_t>(method)]; }

std::string_view to_string(Version version) {
  switch (version) {
    case Version::http10:
      return "HTTP/1.0";
    case Version::http11:
      return "HTTP/1.1";
    case Version::http2:
      return "HTTP/2";
  }
  return {};
}

bool is_safe(Method method) {
  switch (method) {
    case Method::get:
    case Method::head:
    case Method::options:
    case Method::trace:
    case Method::query:
      return true;
    default:
      return false;
  }
}

bool is_idempotent(Method method) {
  return is_safe(method) || method == Method::put || method == Method::del;
}

}  // namespace doorward::http
