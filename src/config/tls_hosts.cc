#include "config/tls_hosts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "route/host_pattern.h"

namespace doorward::config {
namespace {

using route::HostPattern;

// How much of a host the names of a listener are for.
enum class Cover : std::uint8_t { none, some, whole };

// RFC 9525 §6.3: a wildcard stands for one label. A host's may be more, which no certificate says.
Cover cover(const std::string& name, const HostPattern& host) {
  if (host.kind == HostPattern::Kind::wildcard) {
    if (name == "*." + host.name) return Cover::whole;
    return name.ends_with("." + host.name) ? Cover::some : Cover::none;
  }
  const std::size_t dot = host.name.find('.');
  const bool fits =
      name == host.name || (dot != std::string::npos && name == "*" + host.name.substr(dot));
  return fits ? Cover::whole : Cover::none;
}

Cover cover(const ListenerNames& listener, const HostPattern& host) {
  Cover best = Cover::none;
  for (const std::string& name : listener.names) best = std::max(best, cover(name, host));
  return best;
}

// Names that no public CA certifies: they are asked for within a network, where cleartext is usual.
bool is_internal(const HostPattern& host) {
  constexpr std::array<std::string_view, 3> kSuffixes = {".internal", ".local", ".localhost"};
  const std::string& name = host.name;
  const bool address = name.find_first_not_of("0123456789.") == std::string::npos;
  return address || !name.contains('.') ||
         std::ranges::any_of(kSuffixes, [&](auto suffix) { return name.ends_with(suffix); });
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

// Of a host that one listener has: another one on the same port that has it not, as "192.0.2.1:443"
// and "[2001:db8::1]:443" may differ.
const ListenerNames* neighbour_without(std::span<const ListenerNames> listeners,
                                       const ListenerNames& with, const HostPattern& host) {
  for (const ListenerNames& other : listeners) {
    if (other.port == with.port && with.port != 0 && cover(other, host) < cover(with, host)) {
      return &other;
    }
  }
  return nullptr;
}

// What is missing, and for whom. Empty when nothing is to be said.
std::string judge(const HostPattern& host, std::span<const ListenerNames> listeners, bool strict) {
  const auto best = std::ranges::max_element(
      listeners, {}, [&](const ListenerNames& listener) { return cover(listener, host); });
  switch (cover(*best, host)) {
    case Cover::none:
      return fmt::format("no certificate is for {}: clients that ask for it", host.text());
    case Cover::some:
      if (strict) return {};
      return fmt::format(
          "there are certificates for some names below {} only: clients that ask "
          "for another",
          host.name);
    case Cover::whole:
      break;
  }
  const ListenerNames* other = neighbour_without(listeners, *best, host);
  if (other == nullptr) return {};
  return fmt::format(
      "no certificate of listener {} is for {}, and listener {} on the same port "
      "has one: clients that ask the first for it",
      other->listener, host.text(), best->listener);
}

}  // namespace

std::vector<UncoveredHost> uncovered_hosts(const Model& model,
                                           std::span<const ListenerNames> listeners) {
  std::vector<UncoveredHost> found;
  if (listeners.empty()) return found;
  const bool strict = std::ranges::all_of(listeners, &ListenerNames::strict_sni);
  const bool all_tls = std::ranges::all_of(model.listeners, [](const auto& listener) {
    return listener.tls.has_value() || listener.https_redirect.has_value();
  });
  const bool everywhere = all_tls || is_for_https(model, model.policies_everywhere);
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const RouteConfig& route = model.routes[i];
    const bool surely = everywhere || is_for_https(model, route.policies);
    if (!surely && strict) continue;
    for (std::size_t j = 0; j < route.match.hosts.size(); ++j) {
      const auto host = route::parse_host(route.match.hosts[j]);
      if (!host || host->kind == HostPattern::Kind::any) continue;
      if (host->name.starts_with('[')) continue;  // as certificates write no address
      if (!surely && is_internal(*host)) continue;
      const std::string text = judge(*host, listeners, strict);
      if (!text.empty()) found.push_back({i, j, text + " over TLS will refuse what they get"});
    }
  }
  return found;
}

}  // namespace doorward::config
