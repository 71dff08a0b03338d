// What the configuration says of a service. A plain value: two equal ServiceConfigs share one live
// Service (its pools survive a reload).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "tls/profile.h"

namespace doorward::upstream {

struct EndpointConfig {
  std::string url;   // as written: "https://127.0.0.1:9001", "unix:/run/orders.sock"
  bool tls = false;  // https
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
  // Says in milliseconds how much time there is for a request: read, and passed on. Empty: none.
  std::string deadline_header;
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
  bool stale = true;  // repeat what went to a used connection just when that broke
  bool operator==(const RetryConfig&) const = default;
};

struct ResponseLimits {
  Bytes header_bytes = 64_KiB;
  std::uint32_t header_count = 200;
  bool operator==(const ResponseLimits&) const = default;
};

// Which HTTP its endpoints speak. `automatic`: over TLS what ALPN says, in cleartext HTTP/1.1.
enum class Protocol : std::uint8_t { automatic, http1, http2 };

// Of the connections that many requests share.
struct ServiceHttp2 {
  std::uint32_t max_concurrent_streams = 128;  // on one; the backend's own limit holds as well
  Bytes stream_window = 256_KiB;
  Bytes connection_window = 1_MiB;
  // While requests are on their way and nothing comes: a PING after so long (0: none), and so long
  // for its answer.
  Duration ping_every{15'000};
  Duration ping_timeout{10'000};
  bool operator==(const ServiceHttp2&) const = default;
};

// TLS to https:// endpoints. Files are PEM.
struct ServiceTls {
  bool verify = true;
  std::string ca;           // empty: the system's roots
  std::string name;         // must be in the certificate instead of the endpoint's host
  std::string sni;          // is asked for instead of the endpoint's host
  std::string certificate;  // Doorward's own; with the key inside when `key` is empty
  std::string key;
  tls::Profile profile = tls::Profile::intermediate;
  // Of all that was read from these files, so that a change makes another service.
  std::uint64_t content = 0;
  bool operator==(const ServiceTls&) const = default;
};

// A PROXY protocol header before each connection, which then carries one client's request only.
enum class SendProxyProtocol : std::uint8_t { off, v1, v2 };

struct ServiceConfig {
  std::string name;
  std::vector<EndpointConfig> endpoints;
  Protocol protocol = Protocol::automatic;
  ServiceHttp2 http2;
  ServiceTls tls;
  SendProxyProtocol proxy_protocol = SendProxyProtocol::off;
  Balance balance = Balance::round_robin;
  std::string host = "preserve";  // preserve | endpoint | a literal host
  ServiceTimeouts timeouts;
  PoolConfig pool;
  RetryConfig retry;
  ResponseLimits limits;
  bool operator==(const ServiceConfig&) const = default;
};

// Reads an endpoint's URL: "http://HOST[:PORT]", "https://HOST[:PORT]" or "unix:/PATH".
struct EndpointUrl {
  std::string error;  // empty: fine
  EndpointConfig endpoint;
};
EndpointUrl parse_endpoint(std::string url);

}  // namespace doorward::upstream
