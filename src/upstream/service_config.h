// What the configuration says of a service. A plain value: two equal ServiceConfigs share one live
// Service (its pools survive a reload).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"

namespace doorward::upstream {

struct EndpointConfig {
  std::string url;   // as written: "http://127.0.0.1:9001", "unix:/run/orders.sock"
  std::string host;  // name or literal address; empty for unix sockets
  std::uint16_t port = 0;
  std::string unix_path;  // only for unix sockets
  std::uint32_t weight = 1;

  std::string authority() const;  // what Host says when it is the endpoint's own
  bool operator==(const EndpointConfig&) const = default;
};

enum class Balance : std::uint8_t { round_robin };

struct ServiceTimeouts {
  Duration connect{2'000};
  Duration first_byte{30'000};    // from the end of the request to the response's head
  Duration idle{30'000};          // between two pieces of a body
  Duration tunnel_idle{300'000};  // an upgraded connection on which nothing moves
  Duration total{0};              // everything, tries included; 0: no limit
  bool operator==(const ServiceTimeouts&) const = default;
};

// Requests that wait for a connection when all are in use.
struct QueueConfig {
  std::uint32_t size = 1024;  // per service and core; 0: none waits
  Duration timeout{5'000};
  bool operator==(const QueueConfig&) const = default;
};

struct PoolConfig {
  Duration idle_timeout{60'000};
  std::uint32_t max_idle = 128;          // per endpoint and core
  std::uint32_t max_connections = 1024;  // per endpoint and core
  QueueConfig queue;
  bool operator==(const PoolConfig&) const = default;
};

struct RetryConfig {
  bool stale = true;  // repeat what provably never reached the backend
  bool operator==(const RetryConfig&) const = default;
};

struct ResponseLimits {
  Bytes header_bytes = 64_KiB;
  std::uint32_t header_count = 200;
  bool operator==(const ResponseLimits&) const = default;
};

struct ServiceConfig {
  std::string name;
  std::vector<EndpointConfig> endpoints;
  Balance balance = Balance::round_robin;
  std::string host = "preserve";  // preserve | endpoint | a literal host
  ServiceTimeouts timeouts;
  PoolConfig pool;
  RetryConfig retry;
  ResponseLimits limits;
  bool operator==(const ServiceConfig&) const = default;
};

// Reads an endpoint's URL: "http://HOST[:PORT]" or "unix:/PATH". Errors say what is wrong.
struct EndpointUrl {
  std::string error;  // empty: fine
  EndpointConfig endpoint;
};
EndpointUrl parse_endpoint(std::string url);

}  // namespace doorward::upstream
