// ListenAddresses: which addresses of a configuration cannot be listened on together: the same one
// twice, or one on all interfaces ("0.0.0.0:80"; "[::]:80" and ":80", also for IPv4) beside another
// with its port. Pure; linear in their number.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "loop/address.h"

namespace doorward::config {

class ListenAddresses {
 public:
  struct Taken {
    std::string address;
    std::string path;  // of the setting that names it
  };

  // Notes it, unless an earlier one is in its way, which is given. Port 0 is another one each time.
  std::optional<Taken> take(const loop::Address& address, const std::string& path);

 private:
  enum class Reach : std::uint8_t { ipv4, ipv6, all_ipv4, all };
  static Reach reach_of(const loop::Address& address);
  static bool collide(Reach a, Reach b);

  std::unordered_map<std::string, std::string> paths_;  // by address
  // The first of each reach; others of it are in nobody's way who is not in its way too.
  std::unordered_map<std::uint16_t, std::array<std::optional<Taken>, 4>> ports_;
};

}  // namespace doorward::config
