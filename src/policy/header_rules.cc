// The rules about names and values, and sets of names.
#include "policy/header_rules.h"

#include <algorithm>
#include <fmt/format.h>

#include "http/field.h"
#include "text/ascii.h"

namespace doorward::policy {

using http::Header;
using http::HeaderList;
using http::HeaderName;

bool is_connection_field(HeaderName name) {
  switch (name) {
    case HeaderName::connection:
    case HeaderName::content_length:
    case HeaderName::expect:
    case HeaderName::http2_settings:
    case HeaderName::keep_alive:
    case HeaderName::proxy_connection:
    case HeaderName::te:
    case HeaderName::trailer:
    case HeaderName::transfer_encoding:
    case HeaderName::upgrade:
      return true;
    default:
      return false;
  }
}

std::string connection_field_error(std::string_view name) {
  const HeaderName id = http::classify(name);
  if (!is_connection_field(id)) return {};
  const bool framing = id == HeaderName::content_length || id == HeaderName::transfer_encoding;
  return fmt::format("must not name {}: {}", http::canonical(id),
                     framing ? "it frames the message, and Doorward computes it"
                             : "it belongs to one connection only, and Doorward decides about it");
}

std::string connection_fields_error(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::string error = connection_field_error(name); !error.empty()) return error;
  }
  return {};
}

std::string_view sane_value(std::string_view rendered) {
  rendered = http::trim(rendered);
  return http::is_field_value(rendered) ? rendered : std::string_view();
}

bool is_name_or_prefix(std::string_view text) {
  if (text.ends_with('*')) text.remove_suffix(1);
  return http::is_token(text) && !text.contains('*');
}

NameSet::NameSet(std::span<const std::string> names) {
  for (const std::string& name : names) {
    std::string lower = text::lower_copy(name);
    if (lower.ends_with('*')) {
      lower.pop_back();
      prefixes_.push_back(std::move(lower));
    } else {
      const HeaderName id = http::classify(lower);
      names_.push_back({id, std::move(lower)});
    }
  }
}

bool NameSet::contains(const Header& header) const {
  const auto is = [&](const Name& name) {
    if (name.id != HeaderName::other) return name.id == header.id;
    return header.id == HeaderName::other && http::equal_ignore_case(name.text, header.name);
  };
  const auto begins = [&](const std::string& prefix) {
    return header.name.size() >= prefix.size() &&
           http::equal_ignore_case(header.name.substr(0, prefix.size()), prefix);
  };
  return std::ranges::any_of(names_, is) || std::ranges::any_of(prefixes_, begins);
}

void NameSet::remove_from(HeaderList& headers) const {
  for (const Name& name : names_) {
    if (name.id != HeaderName::other) {
      headers.remove(name.id);
    } else {
      headers.remove(name.text);
    }
  }
  if (prefixes_.empty()) return;
  for (const Header& header : headers) {
    if (contains(header) && !is_connection_field(header.id)) headers.remove(header);
  }
}

}  // namespace doorward::policy
