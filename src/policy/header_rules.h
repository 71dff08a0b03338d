// What policies may do to header fields: which names are out of their reach, what a value must be,
// and names as settings ("x-user", "x-user-*").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/header_list.h"
#include "schema/checks.h"

namespace doorward::policy {

// Framing and what belongs to one connection only (RFC 9110 §7.6.1, RFC 9112 §6): Doorward's own
// business, which no setting may touch.
bool is_connection_field(http::HeaderName name);

// "content-length frames the message, Doorward computes it" for a name that is_connection_field,
// else empty. Names and "prefix-*" patterns.
std::string connection_field_error(std::string_view name);
// The first such sentence about `names`, or empty: for schema::checked().
std::string connection_fields_error(const std::vector<std::string>& names);

// What a rendered value becomes on the wire: without spaces at its ends; empty when it holds bytes
// that a field value must not have (CR, LF, NUL and other controls).
std::string_view sane_value(std::string_view rendered);

// A field name, or "prefix-*".
bool is_name_or_prefix(std::string_view text);
inline constexpr schema::TextCheck kNameOrPrefix{
    "a header name, or the beginning of names followed by *", "x-user-*",
    "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", &is_name_or_prefix};

// A set of field names, compiled from settings such as ["x-user", "x-role-*"].
class NameSet {
 public:
  NameSet() = default;
  explicit NameSet(std::span<const std::string> names);

  bool empty() const { return names_.empty() && prefixes_.empty(); }
  bool contains(const http::Header& header) const;
  // Removes all fields of these names; never one that is_connection_field.
  void remove_from(http::HeaderList& headers) const;

 private:
  struct Name {
    http::HeaderName id;
    std::string text;
  };
  std::vector<Name> names_;
  std::vector<std::string> prefixes_;  // lower case, without the "*"
};

}  // namespace doorward::policy
