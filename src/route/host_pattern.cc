#include "route/host_pattern.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/arena.h"
#include "http/uri.h"

namespace doorward::route {

std::expected<HostPattern, std::string> parse_host(std::string_view text) {
  if (text == "*") return HostPattern{};
  HostPattern out;
  std::string_view name = text;
  out.kind = name.starts_with("*.") ? HostPattern::Kind::wildcard : HostPattern::Kind::exact;
  if (out.kind == HostPattern::Kind::wildcard) name.remove_prefix(2);
  if (name.contains('*')) {
    return std::unexpected(
        fmt::format("\"{}\": a wildcard is the whole first label, \"*.example.com\"", text));
  }
  if (name.contains('/')) {
    return std::unexpected(
        fmt::format("\"{}\": a host has no scheme and no path, as in \"api.example.com\"", text));
  }
  Arena arena;
  auto normal = http::normalize_host(name, arena);
  if (!normal) {
    return std::unexpected(fmt::format("\"{}\": {}", text, http::sentence(normal.error())));
  }
  if (normal->port != 0 || name.ends_with(':')) {
    return std::unexpected(fmt::format("\"{}\": a host has no port here", text));
  }
  out.name = normal->host;
  if (out.kind == HostPattern::Kind::wildcard) {
    out.labels = 1 + static_cast<unsigned>(std::ranges::count(out.name, '.'));
  }
  return out;
}

bool HostPattern::matches(std::string_view host) const {
  switch (kind) {
    case Kind::exact:
      return host == name;
    case Kind::wildcard:
      return host.size() > name.size() + 1 && host.ends_with(name) &&
             host[host.size() - name.size() - 1] == '.';
    case Kind::any:
      return true;
  }
  return false;
}

std::string HostPattern::text() const {
  switch (kind) {
    case Kind::exact:
      return name;
    case Kind::wildcard:
      return "*." + name;
    case Kind::any:
      return "any host";
  }
  return {};
}

}  // namespace doorward::route
