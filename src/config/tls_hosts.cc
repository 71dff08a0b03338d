#include "config/tls_hosts.h"

#include <algorithm>

#include "route/host_pattern.h"

namespace doorward::config {
namespace {

bool covers(const std::string& name, const route::HostPattern& host) {
  if (host.kind == route::HostPattern::Kind::any) return true;
  if (host.kind == route::HostPattern::Kind::wildcard) return name.ends_with("." + host.name);
  const std::size_t dot = host.name.find('.');
  return name == host.name ||
         (dot != std::string::npos && name == "*" + host.name.substr(dot));  // RFC 9525 §6.3
}

bool is_for_https(const Model& model, const std::vector<PolicyUse>& uses) {
  return std::ranges::any_of(uses, [&](const PolicyUse& use) {
    std::string_view kind = use.kind;
    for (const auto& named : model.policies) {
      if (named.key == use.name) kind = named.value.kind;
    }
    return kind == "https_redirect" || kind == "hsts";
  });
}

}  // namespace

std::vector<UncoveredHost> uncovered_hosts(const Model& model, std::span<const std::string> names) {
  std::vector<UncoveredHost> found;
  if (names.empty()) return found;
  const bool all_tls = std::ranges::all_of(
      model.listeners, [](const auto& listener) { return listener.tls.has_value(); });
  const bool everywhere = all_tls || is_for_https(model, model.policies_everywhere);
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const RouteConfig& route = model.routes[i];
    if (!everywhere && !is_for_https(model, route.policies)) continue;
    for (std::size_t j = 0; j < route.match.hosts.size(); ++j) {
      const auto host = route::parse_host(route.match.hosts[j]);
      if (!host || host->name.starts_with('[')) continue;  // as certificates write no address
      if (std::ranges::any_of(names, [&](const auto& name) { return covers(name, *host); })) {
        continue;
      }
      found.push_back({i, j, host->text()});
    }
  }
  return found;
}

}  // namespace doorward::config
