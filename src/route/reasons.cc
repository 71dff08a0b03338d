#include "route/reasons.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

#include "base/arena.h"
#include "http/query.h"
#include "text/ascii.h"

namespace doorward::route {
namespace {

constexpr unsigned kHostDistance = 10'000;
constexpr unsigned kPathDistance = 100;
constexpr unsigned kMostSegments = 90;

std::string wanted(const Segment& segment) {
  switch (segment.kind) {
    case Segment::Kind::literal:
      return fmt::format("\"{}\"", segment.text);
    case Segment::Kind::param:
      return fmt::format("a value for {{{}}}", segment.text);
    case Segment::Kind::glob:
      return segment.text;
  }
  return {};
}

std::string wanted(const ValueMatch& match) {
  switch (match.kind) {
    case ValueMatch::Kind::equals:
      return fmt::format("\"{}\"", match.text);
    case ValueMatch::Kind::present:
      return "any";
    case ValueMatch::Kind::absent:
      return "none";
    case ValueMatch::Kind::prefix:
      return fmt::format("one that begins with \"{}\"", match.text);
    case ValueMatch::Kind::regex:
      return fmt::format("one that matches {}", match.text);
  }
  return {};
}

// Where and how the path leaves the pattern; `matched` is how many segments fit before.
std::string path_reason(const PathPattern& pattern, std::string_view path, std::size_t& matched) {
  matched = 0;
  if (pattern.kind == PathPattern::Kind::regex) {
    return fmt::format("path does not match the regular expression {}", pattern.text);
  }
  const auto pieces = split_path(path);
  if (pieces.empty()) return fmt::format("path is {}, the route wants {}", path, pattern.text);
  for (; matched < pattern.segments.size(); ++matched) {
    const Segment& segment = pattern.segments[matched];
    if (matched == pieces.size()) {
      return fmt::format("path ends before segment {}, where the route wants {}", matched + 1,
                         wanted(segment));
    }
    if (!segment_matches(segment, pieces[matched])) {
      return fmt::format("path differs at segment {}: it is \"{}\", the route wants {}",
                         matched + 1, pieces[matched], wanted(segment));
    }
  }
  return fmt::format("path goes on after segment {} with \"{}\", the route ends there", matched,
                     pieces[matched]);
}

class Finder {
 public:
  explicit Finder(const RouteRequest& request) : request_(request) {}

  void host(const HostPattern& host) {
    if (host.matches(request_.host)) return;
    add(kHostDistance,
        fmt::format("host is {}, the route wants {}",
                    request_.host.empty() ? std::string_view("missing") : request_.host,
                    host.text()));
  }

  void path(const PathPattern& pattern) {
    if (pattern.matches(request_.path)) return;
    std::size_t matched = 0;
    std::string reason = path_reason(pattern, request_.path, matched);
    const std::size_t longest = std::max(pattern.segments.size(), split_path(request_.path).size());
    const auto left =
        static_cast<unsigned>(std::min<std::size_t>(longest - matched, kMostSegments));
    add(kPathDistance * std::max(left, 1u), std::move(reason));
  }

  void conditions(const Conditions& conditions, const MethodNames& names) {
    if (conditions.methods != 0 && (conditions.methods & names.bit_of(request_)) == 0) {
      const std::string_view method = request_.method == http::Method::other
                                          ? request_.method_text
                                          : http::to_string(request_.method);
      add(1,
          fmt::format("method is {}, the route takes {}", method, names.text(conditions.methods)));
    }
    named("header", conditions.headers, header_holds, [&](auto& t) { return header_value(t); });
    named("query parameter", conditions.queries, query_holds,
          [&](auto& t) { return query_value(t); });
    named("cookie", conditions.cookies, cookie_holds, [&](auto& t) { return cookie_value(t); });
    if (!client_holds(conditions.clients, request_)) {
      add(1, "the client's address is in none of the route's blocks");
    }
    for (std::string& reason : conditions.tls.reasons(request_.tls)) add(1, std::move(reason));
  }

  Difference take() { return std::move(found_); }

 private:
  void add(unsigned distance, std::string reason) {
    found_.distance += distance;
    found_.reasons.push_back(std::move(reason));
  }

  template <class Holds, class ValueOf>
  void named(std::string_view what, const std::vector<NamedTest>& tests, Holds holds,
             ValueOf value_of) {
    for (const NamedTest& test : tests) {
      if (holds(test, request_)) continue;
      const std::optional<std::string> value = value_of(test);
      add(1,
          fmt::format("{} {} is {}, the route wants {}", what, test.name,
                      value ? fmt::format("\"{}\"", *value) : "missing", wanted(test.test.match)));
    }
  }

  std::optional<std::string> header_value(const NamedTest& test) const {
    if (request_.headers == nullptr) return std::nullopt;
    for (const http::Header& header : *request_.headers) {
      if (text::equal_ignore_case(header.name, test.name)) return std::string(header.value);
    }
    return std::nullopt;
  }
  std::optional<std::string> query_value(const NamedTest& test) const {
    Arena arena;
    const auto value = http::query_value(request_.query, test.name);
    if (!value) return std::nullopt;
    return std::string(http::decode_query(*value, arena));
  }
  std::optional<std::string> cookie_value(const NamedTest& test) const {
    if (request_.headers == nullptr) return std::nullopt;
    for (const http::Header& header : request_.headers->values(http::HeaderName::cookie)) {
      if (const auto value = http::cookie_value(header.value, test.name)) {
        return std::string(*value);
      }
    }
    return std::nullopt;
  }

  const RouteRequest& request_;
  Difference found_;
};

}  // namespace

Difference difference(const RouteTable& table, const RouteTable::Entry& entry,
                      const RouteRequest& request) {
  Finder finder(request);
  finder.host(entry.host);
  finder.path(entry.path);
  finder.conditions(table.conditions(entry), table.method_names());
  return finder.take();
}

}  // namespace doorward::route
