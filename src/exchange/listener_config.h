// What the configuration says of a listener: where it listens, whom it believes, its limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/units.h"
#include "observe/metrics.h"
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

  // Two configurations with the same key share their sockets and connections: those of one address,
  // whatever the name. Port 0 is another port each time, so there the name tells them apart.
  std::string key() const {
    const bool any_port = address.ends_with(":0") && !address.starts_with("unix:");
    return any_port ? name + "@" + address : address;
  }
};

// A listener of a Snapshot.
struct ListenerEntry {
  std::shared_ptr<const ListenerConfig> config;
  observe::Slot slot = 0;  // of its metrics
};

}  // namespace doorward::exchange
