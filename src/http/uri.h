// The request target taken apart (RFC 9112 §3.2, RFC 3986), and the two normal forms that the rest
// of Doorward works with: the path as routes are matched against and backends get it, and the host
// in lower case without its port. What is already normal is returned as the view it came in; only
// what must change is written into the exchange's Arena. Refusals are values with a stable name.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string_view>

#include "base/arena.h"

namespace doorward::http {

// Why a target, path or Host is refused (always 400). Names: docs/reference/problems.md.
enum class UriRefusal : std::uint8_t {
  target_invalid,          // none of the forms a gateway takes
  target_character,        // a space, control or non-ASCII byte
  target_fragment,         // '#'
  target_scheme,           // absolute form, neither http nor https
  target_userinfo,         // user@host
  path_percent_invalid,    // '%' without two hex digits
  path_encoded_slash,      // %2F
  path_encoded_backslash,  // %5C
  path_encoded_null,       // %00
  path_backslash,
  path_above_root,  // more ".." than segments
  host_missing,
  host_invalid,
  host_port_invalid,
  count_,
};
struct UriRefusalText {
  std::string_view code;
  std::string_view sentence;
};

inline constexpr std::array<UriRefusalText, static_cast<std::size_t>(UriRefusal::count_)>
    kUriRefusals = {{
        {"target_invalid", "The request target is neither a path nor an absolute URI."},
        {"target_character",
         "The request target has a space, a control character or a byte that is not ASCII."},
        {"target_fragment", "The request target has a fragment ('#')."},
        {"target_scheme", "The request target has a scheme other than http and https."},
        {"target_userinfo", "The request target has user information before the host ('@')."},
        {"path_percent_invalid", "The path has a '%' that two hex digits do not follow."},
        {"path_encoded_slash", "The path has an encoded slash (%2F)."},
        {"path_encoded_backslash", "The path has an encoded backslash (%5C)."},
        {"path_encoded_null", "The path has an encoded null byte (%00)."},
        {"path_backslash", "The path has a backslash."},
        {"path_above_root", "The path goes above the root with \"..\" segments."},
        {"host_missing", "The request names no host."},
        {"host_invalid", "The host is no valid name and no IP address."},
        {"host_port_invalid", "The port after the host is not a number from 1 to 65535."},
    }};

// "path_encoded_slash"
constexpr std::string_view to_string(UriRefusal refusal) {
  return kUriRefusals[static_cast<std::size_t>(refusal)].code;
}
// One sentence for people.
constexpr std::string_view sentence(UriRefusal refusal) {
  return kUriRefusals[static_cast<std::size_t>(refusal)].sentence;
}

template <class T>
using UriResult = std::expected<T, UriRefusal>;

enum class TargetForm : std::uint8_t { origin, absolute, asterisk };

// Views into the target as it was received.
struct Target {
  TargetForm form = TargetForm::origin;
  bool has_query = false;       // there was a '?'
  bool path_was_empty = false;  // absolute form without a path (OPTIONS then means "*",
                                // RFC 9112 §3.2.4)
  std::string_view scheme;      // absolute form only, as written
  std::string_view authority;   // absolute form only; overrides the Host field (RFC 9112 §3.2.2)
  std::string_view path;        // begins with '/', or is "*"
  std::string_view query;       // without '?'
};

// Splits at the first '?'. All bytes must be visible ASCII without '#'. Authority form (CONNECT) is
// refused as target_invalid. The path is not validated further: normalize_path does that.
UriResult<Target> split_target(std::string_view target);

// The path rule (docs/guide/routing.md): escapes are validated; %2F, %5C, %00 and backslashes
// refused; escaped unreserved characters decoded, the hex digits of other escapes in upper case;
// runs of slashes merged; "." and ".." segments resolved, never above the root. The path must begin
// with '/'. Idempotent. Returns `path` itself when it is normal already.
UriResult<std::string_view> normalize_path(std::string_view path, Arena& arena);

struct HostPort {
  std::string_view host;   // lower case, no trailing dot; IPv6 as "[2001:db8::1]", shortest form
  std::uint16_t port = 0;  // 0: none given
};
// `authority`: a Host field's value or an absolute target's authority, "host[:port]". Names are
// letters, digits, '-', '_' in labels of 1 to 63 bytes, 253 together (RFC 1035 §2.3.4, and '_' as
// it is met in practice); an IP literal must be IPv6 (RFC 3986 §3.2.2) without a zone.
UriResult<HostPort> normalize_host(std::string_view authority, Arena& arena);

// May `text` be sent as a Location (RFC 9110 §10.2.2)? Visible ASCII, not empty; after "http://",
// "https://" and a leading "//" comes a host. Escapes are the client's business: they may be those
// of its own request.
bool is_location(std::string_view text, Arena& arena);

}  // namespace doorward::http
