// How services are written.
#include <fmt/format.h>

#include "config/model.h"
#include "http/field.h"
#include "policy/header_rules.h"

namespace doorward::config {
namespace {

using schema::at_least;
using schema::field;
using schema::is;
using schema::of;
using schema::required;
using schema::zero_means;
using upstream::Balance;
using upstream::EndpointConfig;
using upstream::PoolConfig;
using upstream::Protocol;
using upstream::QueueConfig;
using upstream::ResponseLimits;
using upstream::RetryConfig;
using upstream::SendProxyProtocol;
using upstream::ServiceConfig;
using upstream::ServiceHttp2;
using upstream::ServiceTimeouts;
using upstream::ServiceTls;
using namespace std::chrono_literals;

void check_key(const ServiceTls& tls, schema::Diagnostics& diagnostics) {
  if (tls.key.empty() || !tls.certificate.empty()) return;
  diagnostics.error_at("key", "needs its certificate: give \"certificate\" too");
}

void check_timeouts(const ServiceTimeouts& timeouts, schema::Diagnostics& diagnostics) {
  const std::string& name = timeouts.deadline_header;
  std::string error = policy::connection_field_error(name);
  if (http::equal_ignore_case(name, "host")) error = "must not name Host: it says who is asked";
  if (http::equal_ignore_case(name, "grpc-timeout")) {
    error = "must not name grpc-timeout: it is no number of milliseconds, and always read";
  }
  if (!error.empty()) diagnostics.error_at("deadline_header", error);
}

struct EndpointText {
  std::string url;
  std::uint32_t weight = 1;
};

constexpr auto kEndpoint = schema::schema<EndpointText>(
    "endpoint", "One address of a service.",
    field("url", &EndpointText::url,
          "`http://HOST:PORT`, `https://HOST:PORT` or `unix:/PATH`. Without a port: 80, or 443.",
          required()),
    field("weight", &EndpointText::weight, "Its share of requests; 0 takes it out.", at_least(0),
          schema::at_most(1000)),
    schema::stands_for("url"));

constexpr auto kTimeouts = schema::schema<ServiceTimeouts>(
    "timeouts", "How long a backend may take.",
    field("connect", &ServiceTimeouts::connect, "To accept a connection.", at_least(1ms)),
    field("first_byte", &ServiceTimeouts::first_byte,
          "From the end of the request, its body included, to the head of the response.",
          at_least(1ms)),
    field("idle", &ServiceTimeouts::idle,
          "Between two pieces of a response's body; and for a backend that takes nothing of a "
          "request.",
          at_least(1ms)),
    field("tunnel_idle", &ServiceTimeouts::tunnel_idle,
          "An upgraded connection (WebSocket) on which nothing moves.", at_least(1ms)),
    field("total", &ServiceTimeouts::total, "For everything, further tries included.",
          zero_means("no limit")),
    field("deadline_header", &ServiceTimeouts::deadline_header,
          "A header in which a client says how many milliseconds it gives its request: 504 "
          "`deadline_exceeded` when they are over. The backend is told in it what is left of them, "
          "or of `total` when that is less or the client says nothing. gRPC has its own: "
          "`grpc-timeout`.",
          is(schema::kHeaderName)),
    schema::check(&check_timeouts));

constexpr auto kQueue = schema::schema<QueueConfig>(
    "queue", "Requests that wait for a connection when `max_connections` are in use.",
    field("size", &QueueConfig::size, "How many may wait, per core. `0`: none."),
    field("timeout", &QueueConfig::timeout, "How long each may wait.", at_least(1ms)));

constexpr auto kPool = schema::schema<PoolConfig>(
    "pool", "Connections that are kept for further requests.",
    field("idle_timeout", &PoolConfig::idle_timeout, "How long an unused one is kept.",
          at_least(1ms)),
    field("max_idle", &PoolConfig::max_idle, "Unused ones, per endpoint and core."),
    field("max_connections", &PoolConfig::max_connections, "All, per endpoint and core.",
          at_least(1)),
    field("queue", &PoolConfig::queue,
          "Requests that wait when all connections are in use; first come, first served. 503 "
          "`pool_exhausted` when the queue is full or the wait ends.",
          of(kQueue)));

constexpr auto kRetry = schema::schema<RetryConfig>(
    "retry", "Which requests are sent again.",
    field("stale", &RetryConfig::stale,
          "One on a connection that was used before and then broke, of whose response nothing "
          "came: if it is idempotent, or provably was never seen. What a backend refused unseen "
          "(REFUSED_STREAM, GOAWAY) is sent again in any case."));

constexpr auto kLimits = schema::schema<ResponseLimits>(
    "limits", "What a backend may send; a response over a limit is a 502.",
    field("header_bytes", &ResponseLimits::header_bytes, "The whole head of a response.",
          at_least(1_KiB), schema::at_most(1_MiB)),
    field("header_count", &ResponseLimits::header_count, "Headers of a response.", at_least(1),
          schema::at_most(10'000)));

constexpr auto kHttp2 = schema::schema<ServiceHttp2>(
    "http2", "Connections over HTTP/2, which many requests share.",
    field("max_concurrent_streams", &ServiceHttp2::max_concurrent_streams,
          "Requests at once on one connection; beyond, and beyond what the backend itself allows, "
          "another one is opened.",
          at_least(1), schema::at_most(10'000)),
    field("stream_window", &ServiceHttp2::stream_window,
          "Bytes of a response's body that a backend may send ahead.", at_least(16_KiB),
          schema::at_most(1_GiB)),
    field("connection_window", &ServiceHttp2::connection_window,
          "… of all responses of a connection.", at_least(64_KiB), schema::at_most(1_GiB)),
    field(
        "ping_every", &ServiceHttp2::ping_every,
        "A backend that sends nothing for so long, while requests wait for it, is asked by a PING "
        "whether it is still there.",
        zero_means("never")),
    field("ping_timeout", &ServiceHttp2::ping_timeout,
          "How long its answer may take. Then the connection is given up: 504 "
          "`backend_ping_timeout`.",
          at_least(1ms)));

constexpr auto kTls = schema::schema<ServiceTls>(
    "tls", "How `https://` endpoints are spoken to. Files are PEM, and are watched.",
    field("verify", &ServiceTls::verify,
          "Whether the backend must prove who it is. Without it anybody on the way can read and "
          "change everything."),
    field("ca", &ServiceTls::ca,
          "A file: whose certificates are believed. Without one: the system's roots.",
          is(schema::kFile)),
    field("name", &ServiceTls::name,
          "The name that must be in the backend's certificate, instead of the endpoint's host.",
          is(schema::kHost)),
    field("sni", &ServiceTls::sni,
          "The name that the backend is asked for (SNI), instead of the endpoint's host.",
          is(schema::kHost)),
    field("certificate", &ServiceTls::certificate,
          "A file: Doorward's own certificate with its chain, shown to backends that ask for one.",
          is(schema::kFile)),
    field("key", &ServiceTls::key, "Its private key, when it is not in the same file.",
          is(schema::kFile)),
    field("profile", &ServiceTls::profile,
          "`modern`: TLS 1.3 only. `intermediate`: TLS 1.2 as well.",
          schema::names<tls::Profile>(
              {{"modern", tls::Profile::modern}, {"intermediate", tls::Profile::intermediate}})),
    schema::check(&check_key));

std::string host_problem(const std::string& host) {
  if (schema::is_host(host) || schema::is_host_port(host)) return {};
  return fmt::format("must be preserve, endpoint or a host name, not \"{}\"", host);
}

constexpr auto kService = schema::schema<ServiceConfig>(
    "services", "Backends by name. A map; each value has these settings.",
    field("endpoints", &ServiceConfig::endpoints,
          "Where it can be reached: `http://HOST:PORT`, `https://HOST:PORT`, `unix:/PATH`, or "
          "`{url: …, weight: 2}`.",
          required(), schema::count(1, 10'000)),
    field("protocol", &ServiceConfig::protocol,
          "`auto`: HTTP/2 where a backend offers it over TLS, else HTTP/1.1. `http2`: HTTP/2 only, "
          "without TLS too (from the first byte, as gRPC servers want it).",
          schema::names<Protocol>({{"auto", Protocol::automatic},
                                   {"http1", Protocol::http1},
                                   {"http2", Protocol::http2}})),
    field("http2", &ServiceConfig::http2, "Connections over HTTP/2.", of(kHttp2)),
    field("tls", &ServiceConfig::tls, "How `https://` endpoints are spoken to.", of(kTls)),
    field("proxy_protocol", &ServiceConfig::proxy_protocol,
          "Whether each connection begins with a PROXY protocol header that tells who the client "
          "is. Each request then gets a connection of its own, over HTTP/1.1.",
          schema::names<SendProxyProtocol>({{"off", SendProxyProtocol::off},
                                            {"v1", SendProxyProtocol::v1},
                                            {"v2", SendProxyProtocol::v2}})),
    field("balance", &ServiceConfig::balance, "How an endpoint is chosen.",
          schema::names<Balance>({{"round_robin", Balance::round_robin}})),
    field("host", &ServiceConfig::host,
          "The `Host` that backends see: `preserve` (the client's), `endpoint` (its own address), "
          "or a name.",
          schema::checked(&host_problem)),
    field("timeouts", &ServiceConfig::timeouts, "How long a backend may take.", of(kTimeouts)),
    field("pool", &ServiceConfig::pool, "Kept connections.", of(kPool)),
    field("retry", &ServiceConfig::retry, "Which requests are sent again.", of(kRetry)),
    field("limits", &ServiceConfig::limits, "What a backend may send.", of(kLimits)),
    schema::example("services:\n"
                    "  orders:\n"
                    "    endpoints: [\"http://127.0.0.1:9001\", {url: \"http://127.0.0.1:9002\", "
                    "weight: 2}]\n"
                    "    timeouts: {first_byte: 5s}\n"));

}  // namespace

constinit const schema::SchemaOf<ServiceConfig>& kServiceSchema = kService;

}  // namespace doorward::config

namespace doorward::schema {

using upstream::EndpointConfig;

bool ValueTraits<EndpointConfig>::read(const text::Node& node, EndpointConfig& out,
                                       Diagnostics& diagnostics) {
  config::EndpointText written;
  if (!config::kEndpoint.read(node, written, diagnostics, {})) return false;
  upstream::EndpointUrl parsed = upstream::parse_endpoint(written.url);
  if (!parsed.error.empty()) {
    const text::Member* url = node.find("url");
    const Diagnostics::Scope at_url(diagnostics, url == nullptr ? node : url->value);
    diagnostics.error(std::move(parsed.error));
    return false;
  }
  out = std::move(parsed.endpoint);
  out.weight = written.weight;
  return true;
}

Json ValueTraits<EndpointConfig>::to_json(const EndpointConfig& endpoint) {
  if (endpoint.weight == 1) return endpoint.url;
  return {{"url", endpoint.url}, {"weight", endpoint.weight}};
}

Json ValueTraits<EndpointConfig>::json_schema(Json& definitions) {
  return config::kEndpoint.json_schema(definitions);
}

}  // namespace doorward::schema
