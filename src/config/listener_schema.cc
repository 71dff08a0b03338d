// How listeners and the admin listener are written.
#include <fmt/format.h>

#include "config/model.h"
#include "loop/address.h"
#include "schema/cidr.h"

namespace doorward::config {
namespace {

using exchange::CertificateConfig;
using exchange::ClientCertificateConfig;
using exchange::Forwarded;
using exchange::Http2Config;
using exchange::ListenerConfig;
using exchange::ListenerLimits;
using exchange::ListenerTimeouts;
using exchange::ProxyProtocolConfig;
using exchange::TlsConfig;
using schema::at_least;
using schema::at_most;
using schema::field;
using schema::is;
using schema::of;
using schema::required;
using schema::zero_means;
using namespace std::chrono_literals;

bool is_listen_address(std::string_view text) { return loop::Address::parse(text).has_value(); }

constexpr schema::TextCheck kListenAddress{"an address with port (or unix: and a path)",
                                           "0.0.0.0:8080", "^(unix:/.+|.*:[0-9]+)$",
                                           &is_listen_address};

constexpr auto kLimits = schema::schema<ListenerLimits>(
    "limits", "What a client may send. What is over a limit is refused with its own code.",
    field("header_bytes", &ListenerLimits::header_bytes,
          "The whole head of a request: its first line and all headers.", at_least(1_KiB),
          at_most(1_MiB)),
    field("header_count", &ListenerLimits::header_count, "Headers of a request.", at_least(1),
          at_most(10'000)),
    field("target_length", &ListenerLimits::target_length,
          "The target of a request (its path and "
          "query).",
          at_least(64_B), at_most(1_MiB)),
    field("body_size", &ListenerLimits::body_size, "Body of a request.", zero_means("no limit")),
    field(
        "connections", &ListenerLimits::connections,
        "Connections open at once. Each core takes an equal share, at least one: with 4 cores, 100 "
        "are 25 on each, and a core may refuse while another has room.",
        at_least(1)),
    field(
        "connections_per_ip", &ListenerLimits::connections_per_ip,
        "Connections of one client address, on each core by itself: with 4 cores, 10 are up to 40.",
        zero_means("no limit")),
    field("requests_per_connection", &ListenerLimits::requests_per_connection,
          "Requests on one connection before it is closed.", zero_means("no limit")));

constexpr auto kTimeouts = schema::schema<ListenerTimeouts>(
    "timeouts", "How long a client may take.",
    field(
        "header", &ListenerTimeouts::header,
        "From the first byte of a request to the end of its head; on a fresh connection, from its "
        "beginning.",
        at_least(1ms)),
    field("body", &ListenerTimeouts::body, "Between two pieces of a request's body.",
          at_least(1ms)),
    field("idle", &ListenerTimeouts::idle,
          "A kept connection between two requests. (One that was just opened has `header`.)",
          at_least(1ms)),
    field("send", &ListenerTimeouts::send,
          "A client that stops reading what it asked for. What counts is that it takes something "
          "(at `min_data_rate`) in each half of this time, not how long a response lasts.",
          at_least(1ms)));

void check_certificate(const CertificateConfig& config, schema::Diagnostics& diagnostics) {
  if (config.folder.empty()) return;
  constexpr std::string_view kAlone =
      "cannot stand beside \"folder\", whose files have keys of "
      "their own";
  if (!config.key.empty()) diagnostics.error_at("key", std::string(kAlone));
  if (!config.ocsp.empty()) diagnostics.error_at("ocsp", std::string(kAlone));
}

constexpr auto kCertificate = schema::schema<CertificateConfig>(
    "certificates", "A certificate with its private key, or a folder of them.",
    field("certificate", &CertificateConfig::certificate,
          "A file (PEM): the server's certificate first, then what stands between it and the root.",
          is(schema::kFile)),
    field("key", &CertificateConfig::key,
          "Its private key (PEM, without a passphrase), when it is not in the same file.",
          is(schema::kFile)),
    field("ocsp", &CertificateConfig::ocsp,
          "A file (DER): the OCSP response that is sent along (stapled). One that is stale or not "
          "for this certificate is not sent.",
          is(schema::kFile)),
    field("folder", &CertificateConfig::folder,
          "Instead of the others: `NAME.pem` or `NAME.crt` beside `NAME.key`, or `NAME.pem` with "
          "the key inside.",
          is(schema::kFolder)),
    schema::exactly_one_of("certificate", "folder"), schema::stands_for("certificate"),
    schema::check(&check_certificate));

constexpr std::string_view kClientCa = "A file (PEM): whose certificates are accepted.";

void check_client_certificates(const ClientCertificateConfig& config,
                               schema::Diagnostics& diagnostics) {
  if (config.mode == tls::ClientCertificates::none || !config.ca.empty()) return;
  diagnostics.error_at("ca", fmt::format("is missing: {}", kClientCa));
}

constexpr auto kClientCertificates = schema::schema<ClientCertificateConfig>(
    "client_certificates", "Clients prove who they are with a certificate (mutual TLS).",
    field(
        "mode", &ClientCertificateConfig::mode,
        "`required`: nobody comes in without one. `optional`: whoever sends one must send a good "
        "one. `none`: nobody is asked, as without this section.",
        schema::names<tls::ClientCertificates>({{"none", tls::ClientCertificates::none},
                                                {"optional", tls::ClientCertificates::optional},
                                                {"required", tls::ClientCertificates::required}})),
    field("ca", &ClientCertificateConfig::ca, kClientCa, is(schema::kFile)),
    field(
        "crl", &ClientCertificateConfig::crl,
        "A file (PEM): revocation lists, one of each CA of a client's chain up to the one in `ca`. "
        "A client is refused when one of its chain is revoked, or a list is missing or out of "
        "date.",
        is(schema::kFile)),
    field("depth", &ClientCertificateConfig::depth,
          "How many certificates may stand between a client's and one in `ca`.", at_most(10)),
    schema::check(&check_client_certificates));

constexpr auto kTls = schema::schema<TlsConfig>(
    "tls", "The listener speaks TLS. Its files are watched, and used anew when they change.",
    field("certificates", &TlsConfig::certificates,
          "Chosen by the name that a client asks for (SNI); the first is the default.", required(),
          of(kCertificate), schema::one_or_many(), schema::count(1, 10'000)),
    field(
        "strict_sni", &TlsConfig::strict_sni,
        "Refuse clients that ask for a name that no certificate has, or for none, instead of "
        "sending the default; and requests for hosts that the certificate sent is not for (421)."),
    field("profile", &TlsConfig::profile,
          "`modern`: TLS 1.3 only. `intermediate`: TLS 1.2 with safe ciphers as well.",
          schema::names<tls::Profile>(
              {{"modern", tls::Profile::modern}, {"intermediate", tls::Profile::intermediate}})),
    field("client_certificates", &TlsConfig::client_certificates,
          "Clients prove who they are with a certificate. Nobody is asked without it.",
          of(kClientCertificates)),
    field("session_tickets", &TlsConfig::session_tickets,
          "Clients may resume a session, which spares both sides most of a handshake."),
    field("ticket_rotation", &TlsConfig::ticket_rotation,
          "How often the key of the tickets changes; the two before it still open theirs.",
          at_least(1s), at_most(168h)),
    field("ocsp_stapling", &TlsConfig::ocsp_stapling,
          "Fetch OCSP responses from the responders that the certificates name, and send them "
          "along; for certificates without `ocsp`. A responder that fails keeps nobody out."),
    field("handshake_timeout", &TlsConfig::handshake_timeout, "How long a handshake may take.",
          at_least(1ms)));

constexpr auto kHttp2 = schema::schema<Http2Config>(
    "http2", "HTTP/2 towards clients: chosen in the handshake (ALPN), or by its first bytes.",
    field("enabled", &Http2Config::enabled, "Whether it is spoken."),
    field("max_concurrent_streams", &Http2Config::max_concurrent_streams,
          "Requests at once on one connection.", at_least(1), at_most(10'000)),
    field("stream_window", &Http2Config::stream_window,
          "Bytes of a request's body that a client may send ahead.", at_least(16_KiB),
          at_most(1_GiB)),
    field("connection_window", &Http2Config::connection_window,
          "… of all requests of a connection.", at_least(64_KiB), at_most(1_GiB)));

constexpr auto kProxyProtocol = schema::schema<ProxyProtocolConfig>(
    "proxy_protocol", "Proxies before Doorward that tell who the client is, before any byte of it.",
    field("trusted", &ProxyProtocolConfig::trusted,
          "Their addresses. Each connection must come from one of them and begin with a PROXY "
          "protocol header (version 1 or 2); any other is closed.",
          required(), schema::count(1, 10'000)));

void check_listener(const ListenerConfig& config, schema::Diagnostics& diagnostics) {
  const bool told_by_proxies = !config.trusted_proxies.empty() || config.proxy_protocol;
  if (config.tls && config.https_redirect && !told_by_proxies) {
    diagnostics.warning_at("https_redirect",
                           "nobody comes to this listener without TLS; it belongs to the one that "
                           "speaks cleartext");
  }
}

// Not constexpr: the schemas of policies live in other files.
const auto kListener = schema::schema<ListenerConfig>(
    "listeners", "Where clients connect. A list; each item has these settings.",
    field("name", &ListenerConfig::name,
          "Unique; shown in logs and metrics. Without one: `listener-1`, `listener-2`, ….",
          is(schema::kName)),
    field("address", &ListenerConfig::address,
          "`0.0.0.0:8080`, `[::]:8080`, `:8080` (all addresses of both kinds), or "
          "`unix:/run/doorward.sock`. Port 0 takes a free one, which the log tells.",
          required(), is(kListenAddress)),
    field("tls", &ListenerConfig::tls, "The listener speaks TLS. Without it: cleartext.", of(kTls)),
    field("http2", &ListenerConfig::http2, "HTTP/2 towards clients.", of(kHttp2)),
    field("proxy_protocol", &ListenerConfig::proxy_protocol,
          "Proxies before Doorward that speak the PROXY protocol.", of(kProxyProtocol)),
    field(
        "max_connection_age", &ListenerConfig::max_connection_age,
        "After this time a connection takes no further requests, and closes when those under way "
        "are answered; clients then connect anew. Each connection has between nine tenths and the "
        "whole of it, so that those that came together do not come again at once.",
        at_least(1s), zero_means("no limit")),
    field("limits", &ListenerConfig::limits, "What a client may send.", of(kLimits)),
    field("timeouts", &ListenerConfig::timeouts, "How long a client may take.", of(kTimeouts)),
    field("min_data_rate", &ListenerConfig::min_data_rate,
          "Requests that come slower than this over ten seconds are given up (408), and so are "
          "clients that take their response slower (`timeouts.send`).",
          zero_means("off")),
    field("trusted_proxies", &ListenerConfig::trusted_proxies,
          "Proxies before Doorward whose `X-Forwarded-For` or `Forwarded` is believed."),
    field("forwarded", &ListenerConfig::forwarded, "How backends are told who the client is.",
          schema::names<Forwarded>({{"x_forwarded", Forwarded::x_forwarded},
                                    {"rfc7239", Forwarded::rfc7239},
                                    {"both", Forwarded::both},
                                    {"off", Forwarded::off}})),
    field("via", &ListenerConfig::via, "Add `Via` to requests to backends (RFC 9110 §7.6.3)."),
    field("https_redirect", &ListenerConfig::https_redirect,
          "Sends all who come without TLS to https, before a route is looked for: what the policy "
          "of this name does on its routes.",
          of(policy::kHttpsRedirectSchema)),
    field("hsts", &ListenerConfig::hsts,
          "Tells browsers to come over https only, in every response over https, Doorward's own "
          "too. The policy of this name says otherwise for its routes.",
          of(policy::kHstsSchema)),
    schema::check(&check_listener),
    schema::example(
        "listeners:\n"
        "  - name: web\n"
        "    address: \"0.0.0.0:8080\"\n"
        "    limits: {body_size: 10MiB}\n"
        "    trusted_proxies: [\"10.0.0.0/8\"]\n"
        "  - name: secure\n"
        "    address: \"0.0.0.0:8443\"\n"
        "    tls: {certificates: [{certificate: certs/site.pem, key: certs/site.key}]}\n"));

constexpr auto kAdmin = schema::schema<AdminConfig>(
    "admin", "The admin listener: health, metrics, the running configuration. `off` without it.",
    field("address", &AdminConfig::address, "Where it listens.", is(kListenAddress)),
    field("token", &AdminConfig::token,
          "What its clients must send as `Authorization: Bearer`. Without one a random token is "
          "made and printed.",
          schema::secret(), schema::length(8, 256)),
    schema::example("admin:\n  address: \"127.0.0.1:9901\"\n"));

constexpr auto kDebug = schema::schema<DebugConfig>(
    "debug",
    "A request that shows the token as `doorward-debug` gets a header of that name in its "
    "response: the route, the policies with their verdicts, the backend, and the time of each "
    "step. Backends and policies never see the header.",
    field("token", &DebugConfig::token, "What such a request must show.", required(),
          is(schema::kVisible), schema::secret(), schema::length(16, 256)),
    schema::example("debug:\n  token: \"a long random text\"\n"));

}  // namespace

constinit const schema::SchemaOf<ListenerConfig>& kListenerSchema = kListener;
constinit const schema::SchemaOf<AdminConfig>& kAdminSchema = kAdmin;
constinit const schema::SchemaOf<DebugConfig>& kDebugSchema = kDebug;

}  // namespace doorward::config
