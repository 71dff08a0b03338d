#include "route/conditions.h"

#include <algorithm>
#include <fmt/format.h>

#include "http/field.h"
#include "http/query.h"
#include "route/path_pattern.h"
#include "text/ascii.h"
#include "text/percent.h"

namespace doorward::route {
namespace {

constexpr std::size_t kUsualValue = 1024;

// Calls test.fits with the plain form of a query value.
bool fits_decoded(const ValueTest& test, std::string_view encoded) {
  if (test.match.kind == ValueMatch::Kind::present) return true;
  if (test.match.kind == ValueMatch::Kind::equals) {
    return text::percent_equals(encoded, test.match.text, text::Plus::space);
  }
  if (encoded.size() <= kUsualValue) [[likely]] {
    char plain[kUsualValue];
    return test.fits({plain, text::percent_decode(encoded, text::Plus::space, plain)});
  }
  std::string plain(encoded.size(), '\0');
  plain.resize(text::percent_decode(encoded, text::Plus::space, plain.data()));
  return test.fits(plain);
}

bool is_absent(const NamedTest& test) { return test.test.match.kind == ValueMatch::Kind::absent; }

// Every test of `wanted` has one in `given` that implies it.
bool all_implied(const std::vector<NamedTest>& wanted, const std::vector<NamedTest>& given) {
  return std::ranges::all_of(wanted, [&](const NamedTest& want) {
    return std::ranges::any_of(given, [&](const NamedTest& have) {
      return want.name == have.name && want.test.implied_by(have.test);
    });
  });
}

class Compiler {
 public:
  Compiler(MethodNames& methods, std::vector<FieldProblem>& problems)
      : methods_(methods), problems_(problems) {}

  MethodSet methods(const std::vector<std::string>& names) {
    MethodSet set = 0;
    for (const std::string& name : names) {
      if (!http::is_token(name)) {
        problems_.push_back({"method", fmt::format("\"{}\" is no method", name)});
      } else if (std::ranges::any_of(name, [](char c) { return c >= 'a' && c <= 'z'; })) {
        problems_.push_back({"method", fmt::format("\"{}\": methods are in capitals", name)});
      } else if (auto bit = methods_.add(name)) {
        set |= *bit;
      } else {
        problems_.push_back({"method", "more than 54 methods of one's own in one table"});
      }
    }
    return set;
  }

  std::vector<NamedTest> named(const char* field, const std::vector<NamedMatch>& matches) {
    std::vector<NamedTest> out;
    for (const NamedMatch& match : matches) {
      NamedTest test;
      test.name = match.name;
      test.test.match = match.value;
      if (match.name.empty()) problems_.push_back({field, "a name is missing"});
      if (match.value.kind == ValueMatch::Kind::regex) {
        auto regex = compile_regex(match.value.text);
        if (regex) {
          test.test.regex = *regex;
        } else {
          problems_.push_back({fmt::format("{}.{}", field, match.name), regex.error()});
        }
      }
      out.push_back(std::move(test));
    }
    return out;
  }

  std::vector<NamedTest> headers(const std::vector<NamedMatch>& matches) {
    auto out = named("header", matches);
    for (NamedTest& test : out) {
      if (!test.name.empty() && !http::is_token(test.name)) {
        problems_.push_back({"header", fmt::format("\"{}\" is no header name", test.name)});
      }
      test.name = text::lower_copy(test.name);
      test.id = http::classify(test.name);
    }
    return out;
  }

  std::vector<text::Cidr> clients(const std::vector<std::string>& texts) {
    std::vector<text::Cidr> out;
    for (const std::string& text : texts) {
      if (auto cidr = text::Cidr::parse(text)) {
        out.push_back(*cidr);
      } else {
        problems_.push_back({"client", cidr.error().cause});
      }
    }
    return out;
  }

 private:
  MethodNames& methods_;
  std::vector<FieldProblem>& problems_;
};

}  // namespace

std::optional<MethodSet> MethodNames::add(std::string_view name) {
  const http::Method known = http::classify_method(name);
  if (known != http::Method::other) return MethodSet{1} << static_cast<unsigned>(known);
  if (const MethodSet bit = bit_of_other(name)) return bit;
  if (kKnown + others_.size() == 64) return std::nullopt;
  others_.emplace_back(name);
  return bit_of_other(name);
}

MethodSet MethodNames::bit_of_other(std::string_view text) const {
  for (std::size_t i = 0; i < others_.size(); ++i) {
    if (others_[i] == text) return MethodSet{1} << (kKnown + i);
  }
  return 0;
}

std::string MethodNames::text(MethodSet set) const {
  std::string out;
  const auto append = [&](std::string_view name) {
    if (!out.empty()) out += ", ";
    out += name;
  };
  for (unsigned i = 0; i < 64; ++i) {
    if ((set >> i & 1) == 0) continue;
    append(i < kKnown ? http::to_string(static_cast<http::Method>(i))
                      : std::string_view(others_[i - kKnown]));
  }
  return out;
}

bool ValueTest::fits(std::string_view value) const {
  switch (match.kind) {
    case ValueMatch::Kind::equals:
      return value == match.text;
    case ValueMatch::Kind::present:
      return true;
    case ValueMatch::Kind::absent:
      return false;
    case ValueMatch::Kind::prefix:
      return value.starts_with(match.text);
    case ValueMatch::Kind::regex:
      return re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *regex);
  }
  return false;
}

bool ValueTest::implied_by(const ValueTest& other) const {
  if (match == other.match) return true;
  const bool other_wants_one = other.match.kind != ValueMatch::Kind::absent;
  if (match.kind == ValueMatch::Kind::present) return other_wants_one;
  if (match.kind == ValueMatch::Kind::absent || !other_wants_one) return false;
  if (other.match.kind == ValueMatch::Kind::equals) return fits(other.match.text);
  return match.kind == ValueMatch::Kind::prefix && other.match.kind == ValueMatch::Kind::prefix &&
         other.match.text.starts_with(match.text);
}

unsigned Conditions::count() const {
  return static_cast<unsigned>(headers.size() + queries.size() + cookies.size()) +
         (methods != 0 ? 1 : 0) + (clients.empty() ? 0 : 1) + tls.count();
}

bool header_holds(const NamedTest& test, const RouteRequest& request) {
  bool found = false;
  if (request.headers != nullptr) {
    if (test.id != http::HeaderName::other) {
      if (request.headers->has(test.id)) {
        for (const http::Header& header : request.headers->values(test.id)) {
          found = true;
          if (test.test.fits(header.value)) return true;
        }
      }
    } else {
      for (const http::Header& header : *request.headers) {
        if (header.id != http::HeaderName::other ||
            !text::equal_ignore_case(header.name, test.name)) {
          continue;
        }
        found = true;
        if (test.test.fits(header.value)) return true;
      }
    }
  }
  return is_absent(test) && !found;
}

bool query_holds(const NamedTest& test, const RouteRequest& request) {
  bool found = false;
  const bool fits = http::any_query_value(request.query, test.name, [&](std::string_view value) {
    found = true;
    return fits_decoded(test.test, value);
  });
  return fits || (is_absent(test) && !found);
}

bool cookie_holds(const NamedTest& test, const RouteRequest& request) {
  bool found = false;
  if (request.headers != nullptr && request.headers->has(http::HeaderName::cookie)) {
    for (const http::Header& header : request.headers->values(http::HeaderName::cookie)) {
      const auto value = http::cookie_value(header.value, test.name);
      if (!value) continue;
      found = true;
      if (test.test.fits(*value)) return true;
    }
  }
  return is_absent(test) && !found;
}

bool client_holds(const std::vector<text::Cidr>& clients, const RouteRequest& request) {
  return clients.empty() || std::ranges::any_of(clients, [&](const text::Cidr& block) {
           return block.contains(request.client_ip);
         });
}

bool Conditions::hold(const RouteRequest& request) const {
  const auto all = [&](const std::vector<NamedTest>& tests, auto holds) {
    return std::ranges::all_of(tests, [&](const NamedTest& t) { return holds(t, request); });
  };
  return client_holds(clients, request) && tls.holds(request.tls) && all(headers, header_holds) &&
         all(queries, query_holds) && all(cookies, cookie_holds);
}

bool Conditions::implied_by(const Conditions& other) const {
  if (methods != 0 && (other.methods == 0 || (other.methods & ~methods) != 0)) return false;
  if (!clients.empty()) {
    if (other.clients.empty()) return false;
    for (const text::Cidr& block : other.clients) {
      const auto holds = [&](const text::Cidr& own) { return own.contains(block); };
      if (std::ranges::none_of(clients, holds)) return false;
    }
  }
  return all_implied(headers, other.headers) && all_implied(queries, other.queries) &&
         all_implied(cookies, other.cookies) && tls.implied_by(other.tls);
}

Conditions compile_conditions(const Match& match, MethodNames& methods,
                              std::vector<FieldProblem>& problems) {
  Compiler compiler(methods, problems);
  Conditions out;
  out.methods = compiler.methods(match.methods);
  out.headers = compiler.headers(match.headers);
  out.queries = compiler.named("query", match.queries);
  out.cookies = compiler.named("cookie", match.cookies);
  out.clients = compiler.clients(match.clients);
  out.tls = TlsCondition(match.tls, problems);
  return out;
}

}  // namespace doorward::route
