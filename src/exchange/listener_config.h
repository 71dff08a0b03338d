// What the configuration says of a listener: where it listens, whom it believes, its limits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "observe/metrics.h"
#include "policy/hsts/hsts.h"
#include "policy/https_redirect/https_redirect.h"
#include "text/cidr.h"
#include "tls/server_context.h"

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

// A certificate chain with its key (PEM), or a folder of them.
struct CertificateConfig {
  std::string certificate;  // a file; with the key inside when `key` is empty
  std::string key;
  std::string ocsp;    // a file: the response to staple (DER)
  std::string folder;  // instead of the others
  bool operator==(const CertificateConfig&) const = default;
};

struct ClientCertificateConfig {
  tls::ClientCertificates mode = tls::ClientCertificates::required;
  std::string ca;   // whose certificates are accepted; a file
  std::string crl;  // a file; empty: revocation is not checked
  std::uint32_t depth = 4;
  bool operator==(const ClientCertificateConfig&) const = default;
};

struct TlsConfig {
  std::vector<CertificateConfig> certificates;  // the first is the default
  bool strict_sni = false;                      // refuse names that no certificate has
  tls::Profile profile = tls::Profile::intermediate;
  std::optional<ClientCertificateConfig> client_certificates;
  bool session_tickets = true;
  Duration ticket_rotation{12 * 3'600'000};
  bool ocsp_stapling = false;  // fetch responses from the certificates' responders
  Duration handshake_timeout{10'000};
  bool operator==(const TlsConfig&) const = default;
};

// HTTP/2 towards clients: by ALPN over TLS, by its preface in cleartext.
struct Http2Config {
  bool enabled = true;
  std::uint32_t max_concurrent_streams = 128;
  Bytes stream_window = 256_KiB;
  Bytes connection_window = 1_MiB;
  bool operator==(const Http2Config&) const = default;
};

// The PROXY protocol, from these only; a connection of theirs must begin with it.
struct ProxyProtocolConfig {
  std::vector<text::Cidr> trusted;
};

struct ListenerConfig {
  std::string name;
  std::string address;
  std::optional<TlsConfig> tls;
  Http2Config http2;
  std::optional<ProxyProtocolConfig> proxy_protocol;
  Duration max_connection_age{0};  // then it is drained; 0: no limit
  ListenerLimits limits;
  ListenerTimeouts timeouts;
  ByteRate min_data_rate{100};  // 0: no limit
  std::vector<text::Cidr> trusted_proxies;
  Forwarded forwarded = Forwarded::x_forwarded;
  bool via = true;
  // As the policies of the same names, but whether a route matches or not.
  std::optional<policy::HttpsRedirectConfig> https_redirect;
  std::optional<policy::HstsConfig> hsts;

  // Two configurations with the same key share their sockets and connections: those of one address,
  // whatever the name. Port 0 is another port each time, so there the name tells them apart.
  std::string key() const {
    const bool any_port = address.ends_with(":0") && !address.starts_with("unix:");
    return any_port ? name + "@" + address : address;
  }
  bool requires_certificate() const {
    return tls && tls->client_certificates &&
           tls->client_certificates->mode == tls::ClientCertificates::required;
  }
};

// A listener of a Snapshot.
struct ListenerEntry {
  std::shared_ptr<const ListenerConfig> config;
  observe::Slot slot = 0;  // of its metrics
  // Where it speaks TLS: a context for each core, and the keys of its tickets, which live on as
  // long as there is a listener with the same key().
  std::vector<std::shared_ptr<const tls::ServerContext>> tls;
  std::shared_ptr<tls::TicketKeyring> tickets;
};

}  // namespace doorward::exchange
