// Conditions: what a route asks beyond host and path, compiled: names classified, expressions
// parsed. Part of a Snapshot, immutable. Nothing here allocates on a request's path but for RE2's
// own tables and query values longer than a usual target.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <re2/re2.h>
#include <string>
#include <string_view>
#include <vector>

#include "http/header_name.h"
#include "route/match.h"
#include "route/request.h"
#include "route/tls_condition.h"
#include "text/cidr.h"

namespace doorward::route {

// The methods of one table as bits: the known ones by their enumeration, others as they come.
class MethodNames {
 public:
  // Nothing when there is no bit left.
  std::optional<MethodSet> add(std::string_view name);
  MethodSet bit_of(const RouteRequest& request) const {
    if (request.method != http::Method::other) [[likely]]
      return MethodSet{1} << static_cast<unsigned>(request.method);
    return bit_of_other(request.method_text);
  }
  // "GET, POST", as Allow wants it (RFC 9110 §10.2.1).
  std::string text(MethodSet set) const;

 private:
  static constexpr unsigned kKnown = static_cast<unsigned>(http::Method::other);
  MethodSet bit_of_other(std::string_view text) const;
  std::vector<std::string> others_;
};

// A ValueMatch that can be asked.
struct ValueTest {
  ValueMatch match;
  std::shared_ptr<const re2::RE2> regex;

  bool fits(std::string_view value) const;  // not for `absent`
  // Does whatever fits `other` fit this too? True only when it is certain.
  bool implied_by(const ValueTest& other) const;
};

struct NamedTest {
  http::HeaderName id = http::HeaderName::other;  // headers only
  std::string name;                               // headers: lower case
  ValueTest test;
};

struct Conditions {
  MethodSet methods = 0;  // 0: any
  std::vector<NamedTest> headers;
  std::vector<NamedTest> queries;
  std::vector<NamedTest> cookies;
  std::vector<text::Cidr> clients;  // empty: any
  TlsCondition tls;

  // How many there are: the third step of precedence. A list counts as one.
  unsigned count() const;
  // Nothing but methods to ask.
  bool only_methods() const {
    return headers.empty() && queries.empty() && cookies.empty() && clients.empty() &&
           tls.count() == 0;
  }
  // Do all but the methods hold?
  bool hold(const RouteRequest& request) const;
  // Does every request for which `other` holds hold here too? True only when it is certain.
  bool implied_by(const Conditions& other) const;
};

bool header_holds(const NamedTest& test, const RouteRequest& request);
bool query_holds(const NamedTest& test, const RouteRequest& request);
bool cookie_holds(const NamedTest& test, const RouteRequest& request);
bool client_holds(const std::vector<text::Cidr>& clients, const RouteRequest& request);

// Appends to `problems`; the result is good when nothing was appended.
Conditions compile_conditions(const Match& match, MethodNames& methods,
                              std::vector<FieldProblem>& problems);

}  // namespace doorward::route
