// RouteRequest and RouteMatch: the question to a RouteTable and its answer. Both live on the stack
// of the exchange; all views point into the request or the table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/header_list.h"
#include "http/method.h"
#include "tls/facts.h"

namespace doorward::route {

struct RouteRequest {
  std::string_view host;   // as http::normalize_host makes it, without port
  std::string_view path;   // as http::normalize_path makes it, or "*"
  std::string_view query;  // without '?'
  http::Method method = http::Method::get;
  std::string_view method_text = "GET";       // only looked at when `method` is `other`
  const http::HeaderList* headers = nullptr;  // null: none
  std::uint8_t client_ip[16] = {};            // as loop::Address::ip_bytes gives it
  const tls::ClientTls* tls = nullptr;        // null: nothing is known
};

// More parameters in one path than this are refused when the table is built.
inline constexpr unsigned kMaxParams = 16;
// More segments in one path pattern are refused too: it bounds the depth of a search.
inline constexpr unsigned kMaxSegments = 64;
// More groups in one regular expression, named or not, are refused too.
inline constexpr int kMaxGroups = 64;

// A set of methods: a bit for each known one, further bits for others that the table names.
using MethodSet = std::uint64_t;

struct RouteMatch {
  enum class Why : std::uint8_t {
    matched,
    no_host,       // no route takes this host
    no_path,       // routes for the host, none for the path
    no_method,     // all that is wrong is the method: `allowed` has those that would do (405)
    no_predicate,  // routes for host and path, whose other conditions do not hold
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // A segment, percent-encoded as it is in the normal path.
  struct Param {
    const char* data;
    std::uint32_t size;
    std::string_view view() const { return {data, size}; }
  };

  RouteMatch() {}  // leaves the parameters unset
  RouteMatch(const RouteMatch& other) { *this = other; }
  RouteMatch& operator=(const RouteMatch& other);  // copies the parameters that are set

  bool matched() const { return why == Why::matched; }
  std::string_view param_name(unsigned i) const { return names[i]; }
  std::optional<std::string_view> param(std::string_view name) const {
    for (unsigned i = 0; i < param_count; ++i) {
      if (names[i] == name) return params[i].view();
    }
    return std::nullopt;
  }

  Why why = Why::no_host;
  std::uint8_t param_count = 0;
  std::uint32_t route = kNone;         // index in the list the table was built from
  std::uint32_t value = 0;             // that route's RouteSpec::value
  MethodSet allowed = 0;               // no_method: RouteTable::allow names them
  const std::string* names = nullptr;  // of the parameters, in the table
  Param params[kMaxParams];
};

inline RouteMatch& RouteMatch::operator=(const RouteMatch& other) {
  why = other.why;
  param_count = other.param_count;
  route = other.route;
  value = other.value;
  allowed = other.allowed;
  names = other.names;
  for (unsigned i = 0; i < other.param_count; ++i) params[i] = other.params[i];
  return *this;
}

std::string_view to_string(RouteMatch::Why why);  // "no_host"

}  // namespace doorward::route
