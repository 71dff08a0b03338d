// What the configuration says of a listener: where it listens, whom it believes, its limits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "text/cidr.h"

namespace doorward::exchange {

struct ListenerLimits {
  Bytes header_bytes = 32_KiB;
  std::uint32_t header_count = 100;
  Bytes target_length = 8_KiB;
  Bytes body_size = 1_GiB;                   // 0: no limit
  std::uint32_t connections = 10'000;        // all cores together
  std::uint32_t connections_per_ip = 1'000;  // per core; 0: no limit
  std::uint32_t requests_per_connection = 0;
  bool operator==(const ListenerLimits&) const = default;
};

struct ListenerTimeouts {
  Duration header{10'000};
  Duration body{30'000};
  Duration idle{75'000};
  Duration send{30'000};
  bool operator==(const ListenerTimeouts&) const = default;
};

// Which headers tell backends who the client is.
enum class Forwarded : std::uint8_t { x_forwarded, rfc7239, both, off };

struct ListenerConfig {
  std::string name;
  std::string address;
  ListenerLimits limits;
  ListenerTimeouts timeouts;
  ByteRate min_data_rate{100};  // 0: no limit
  std::vector<text::Cidr> trusted_proxies;
  Forwarded forwarded = Forwarded::x_forwarded;
  bool via = true;

  // Two configurations with the same key share their sockets and connections.
  std::string key() const { return name + "@" + address; }
};

}  // namespace doorward::exchange
