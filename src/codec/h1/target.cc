// Request lines. Hot: one scan over the target, 16 bytes at a time.
#include "codec/h1/target.h"

#include <algorithm>
#include <cstring>

#include "codec/h1/authority.h"
#include "codec/h1/scan.h"
#include "http/field.h"
#include "text/ascii.h"

namespace doorward::codec::h1 {
namespace {

constexpr std::size_t kLongestMethod = 32;

// Where the run of allowed target characters ends. A backslash goes on only behind a "?".
std::size_t target_end(std::string_view text) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  const char* stop = find_target_stop(begin, begin, end);
  if (stop != end && *stop == '\\' && std::memchr(begin, '?', stop - begin) != nullptr) {
    while (stop != end && *stop == '\\') stop = find_target_stop(begin, stop + 1, end);
  }
  return static_cast<std::size_t>(stop - begin);
}

Refusal bad_target_character(char c) {
  if (c == '#') return Refusal::target_fragment;
  if (c == '\t') return Refusal::bad_request_line;
  if (static_cast<unsigned char>(c) >= 0x80) return Refusal::target_not_ascii;
  return Refusal::bad_target;
}

// "get" is a token, but other programs take it for GET: it has no place here.
bool is_known_in_another_case(std::string_view method) {
  char upper[8];
  if (method.size() > sizeof upper) return false;
  for (std::size_t i = 0; i < method.size(); ++i) {
    const char c = method[i];
    upper[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
  }
  return http::classify_method({upper, method.size()}) != http::Method::other;
}

Refusal read_method(std::string_view text, http::RequestHead& out) {
  out.method_text = text;
  out.method = http::classify_method(text);
  if (out.method == http::Method::connect) return Refusal::connect_unsupported;
  if (out.method != http::Method::other) return Refusal::none;
  if (!http::is_token(text)) return Refusal::bad_method;
  if (text.size() > kLongestMethod) return Refusal::method_too_long;
  return is_known_in_another_case(text) ? Refusal::bad_method : Refusal::none;
}

Refusal read_version(std::string_view text, http::Version& out) {
  if (text == "HTTP/1.1") {
    out = http::Version::http11;
    return Refusal::none;
  }
  if (text == "HTTP/1.0") {
    out = http::Version::http10;
    return Refusal::none;
  }
  if (text.empty() || text.find_first_of(" \t") != std::string_view::npos) {
    return Refusal::bad_request_line;
  }
  using text::is_digit;
  const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  return well_formed ? Refusal::version_unsupported : Refusal::bad_version;
}

Refusal read_absolute(std::string_view target, std::size_t scheme_end, http::Method method,
                      Target& out) {
  const std::string_view scheme = target.substr(0, scheme_end);
  out.https = http::equal_ignore_case(scheme, "https");
  if (!out.https && !http::equal_ignore_case(scheme, "http")) return Refusal::target_scheme;
  const std::string_view rest = target.substr(scheme_end + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  out.authority = rest.substr(0, end);
  if (out.authority.find('@') != std::string_view::npos) return Refusal::target_userinfo;
  if (!is_authority(out.authority)) return Refusal::bad_host;
  out.path_and_query = rest.substr(end);
  // RFC 9112 §3.2.4: OPTIONS with an empty path asks about the server as a whole.
  if (out.path_and_query.empty()) out.path_and_query = method == http::Method::options ? "*" : "/";
  return Refusal::none;
}

}  // namespace

Refusal read_request_line(std::string_view line, const ParseLimits& limits,
                          http::RequestHead& out) {
  if (line == "PRI * HTTP/2.0") return Refusal::http2_preface;
  const std::size_t space = line.find(' ');
  if (space == 0 || line.empty()) return Refusal::bad_request_line;
  if (space == std::string_view::npos) {
    return http::is_token(line) ? Refusal::bad_request_line : Refusal::bad_method;
  }
  Refusal refusal = read_method(line.substr(0, space), out);
  if (refusal != Refusal::none) return refusal;

  const std::string_view rest = line.substr(space + 1);
  const std::size_t end = target_end(rest);
  if (end > limits.target_length) return Refusal::target_too_long;
  if (end < rest.size() && rest[end] != ' ') return bad_target_character(rest[end]);
  if (end == 0) return Refusal::bad_request_line;
  if (end == rest.size()) return Refusal::no_version;
  out.target = rest.substr(0, end);
  return read_version(rest.substr(end + 1), out.version);
}

Refusal read_target(std::string_view target, http::Method method, Target& out) {
  if (target[0] == '/') {
    out.path_and_query = target;
    return Refusal::none;
  }
  if (target == "*") {
    out.path_and_query = target;
    return method == http::Method::options ? Refusal::none : Refusal::target_form;
  }
  const std::size_t scheme_end = target.find("://");
  const bool absolute = scheme_end != std::string_view::npos && scheme_end > 0 &&
                        target.find_first_of("/?") > scheme_end;
  if (!absolute) return Refusal::target_form;
  return read_absolute(target, scheme_end, method, out);
}

}  // namespace doorward::codec::h1
