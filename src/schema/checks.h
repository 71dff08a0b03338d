// Named checks for text: what a setting's text must be (is(kToken)), or a map's keys
// (keys_are(kHeaderName)). One is data: a name for people, a pattern for JSON Schema, a function.
#pragma once

#include <string_view>

namespace doorward::schema {

struct TextCheck {
  std::string_view name;     // "a header name"
  std::string_view example;  // "x-request-id"
  std::string_view pattern;  // for JSON Schema; may be empty when no pattern tells it all
  bool (*holds)(std::string_view text);
};

bool is_token(std::string_view text);          // RFC 9110 §5.6.2
bool is_header_value(std::string_view text);   // RFC 9110 §5.5, without control bytes
bool is_name(std::string_view text);           // what may name a service, a route, a policy
bool is_host(std::string_view text);           // a DNS name or an IP address, IPv6 in brackets
bool is_host_port(std::string_view text);      // host ":" port; no host means all addresses
bool is_http_url(std::string_view text);       // http or https, a host, no user, no fragment
bool is_visible_ascii(std::string_view text);  // not empty, no spaces
bool is_path(std::string_view text);           // begins with "/", no spaces and control bytes

inline constexpr TextCheck kNonEmpty{"text that is not empty", "text", "^.+$",
                                     [](std::string_view text) { return !text.empty(); }};
inline constexpr TextCheck kFile{"a file's name", "certs/site.pem", "^.+$",
                                 [](std::string_view text) { return !text.empty(); }};
inline constexpr TextCheck kFolder{"a folder's name", "certs", "^.+$",
                                   [](std::string_view text) { return !text.empty(); }};
inline constexpr TextCheck kToken{"a token (letters, digits, !#$%&'*+-.^_`|~)", "GET",
                                  "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", &is_token};
inline constexpr TextCheck kHeaderName{"a header name", "x-request-id",
                                       "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", &is_token};
inline constexpr TextCheck kHeaderValue{"a header value (no control characters)", "text", "",
                                        &is_header_value};
inline constexpr TextCheck kName{"a name (letters, digits, \"_\", \"-\", \".\")", "orders",
                                 "^[A-Za-z0-9_][A-Za-z0-9_.-]*$", &is_name};
inline constexpr TextCheck kHost{"a host name or IP address", "api.example.com", "", &is_host};
inline constexpr TextCheck kHostPort{"an address with port", "127.0.0.1:8080", "^.*:[0-9]+$",
                                     &is_host_port};
inline constexpr TextCheck kHttpUrl{"an http:// or https:// URL", "http://127.0.0.1:9001",
                                    "^https?://[^/]", &is_http_url};
inline constexpr TextCheck kVisible{"visible ASCII characters without spaces", "xyz", "^[!-~]+$",
                                    &is_visible_ascii};
inline constexpr TextCheck kPath{"a path that begins with \"/\"", "/check", "^/", &is_path};

}  // namespace doorward::schema
