// Hosts that routes name and no certificate does. A route answers on every listener, so a host is
// served when one of those with TLS has a certificate for it, and with it all that share its port.
//
// Subtle: where there is a listener in cleartext too, a host may be meant for that one only. It is
// taken for one of TLS as well, unless it looks like an internal name, or `strict_sni` says that
// names without a certificate are not spoken for.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/model.h"

namespace doorward::config {

// What a listener that speaks TLS can show.
struct ListenerNames {
  std::string listener;
  std::uint16_t port = 0;  // 0: of its own
  bool strict_sni = false;
  std::vector<std::string> names;  // of all its certificates, in lower case; addresses too
};

struct UncoveredHost {
  std::size_t route = 0;
  std::size_t index = 0;  // of the route's hosts
  std::string text;       // "no certificate is for shop.example: …"
};

std::vector<UncoveredHost> uncovered_hosts(const Model& model,
                                           std::span<const ListenerNames> listeners);

}  // namespace doorward::config
