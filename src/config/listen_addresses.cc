#include "config/listen_addresses.h"

namespace doorward::config {

ListenAddresses::Reach ListenAddresses::reach_of(const loop::Address& address) {
  const std::string host = address.host();
  if (address.family() == AF_INET) return host == "0.0.0.0" ? Reach::all_ipv4 : Reach::ipv4;
  return host == "::" ? Reach::all : Reach::ipv6;
}

bool ListenAddresses::collide(Reach a, Reach b) {
  if (a == Reach::all || b == Reach::all) return true;
  return (a == Reach::all_ipv4 && b == Reach::ipv4) || (a == Reach::ipv4 && b == Reach::all_ipv4);
}

std::optional<ListenAddresses::Taken> ListenAddresses::take(const loop::Address& address,
                                                            const std::string& path) {
  if (!address.is_unix() && address.port() == 0) return std::nullopt;
  const auto [known, is_new] = paths_.emplace(address.text(), path);
  if (!is_new) return Taken{known->first, known->second};
  if (address.is_unix()) return std::nullopt;
  auto& others = ports_[address.port()];
  const Reach reach = reach_of(address);
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (others[i] && collide(reach, static_cast<Reach>(i))) return others[i];
  }
  auto& first = others[static_cast<std::size_t>(reach)];
  if (!first) first = Taken{address.text(), path};
  return std::nullopt;
}

}  // namespace doorward::config
