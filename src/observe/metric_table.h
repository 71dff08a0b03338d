// Every metric of Doorward, declared once: the Prometheus text, the reference page and the layout
// of a core's counters come from this table. To add one: a name in Metric, a line in kMetrics.
// A metric belongs to a scope; all but the process scope are repeated per listener, route or
// service (a slot of MetricsNames, given as the label of that name).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "observe/metric_labels.h"

namespace doorward::observe {

enum class Scope : std::uint8_t { process, listener, route, service };
inline constexpr std::size_t kScopes = 4;
std::string_view to_string(Scope scope);

enum class MetricKind : std::uint8_t { counter, gauge, histogram };
std::string_view to_string(MetricKind kind);

enum class Metric : std::uint8_t {
  // process
  build_info,
  start_time,
  config_loaded_time,
  reloads,
  replies,
  access_log_lines,
  access_log_dropped,
  access_log_errors,
  loop_turns,
  loop_no_buffers,
  loop_overflows,
  // listener
  connections_accepted,
  connections_open,
  connections_refused,
  connections_timed_out,
  bytes_received,
  bytes_sent,
  requests,
  connections_by_protocol,
  http2_streams_open,
  http2_resets_by_client,
  http2_resets_by_doorward,
  tls_connections,
  parser_refusals,
  tls_handshakes,
  tls_handshake_failures,
  tls_connections_broken,
  http2_connections_broken,
  tls_unknown_names,
  tls_certificate_expiry,
  tls_crl_next_update,
  // route
  route_requests,
  route_in_flight,
  route_duration,
  route_bytes_received,
  route_bytes_sent,
  route_shadow_replies,
  route_grpc_responses,
  route_websockets_open,
  route_websockets_closed,
  route_websocket_messages,
  // service
  service_requests,
  service_in_flight,
  service_duration,
  service_bytes_sent,
  service_bytes_received,
  service_retries,
  service_connects,
  service_connect_failures,
  service_reuses,
  service_connections_open,
  service_waiting,
  service_tls_failures,
  service_tls_certificate_expiry,
  service_http2_broken,
  service_responses_broken,
  service_parser_refusals,
  service_failure_duration,
  service_wait,
};
inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::service_wait) + 1;

// Upper bounds of the latency buckets in microseconds, 1-2.5-5 a decade; each is at least twice
// the one before, so that the bit width of a value leaves two buckets to choose from.
inline constexpr std::array<std::uint64_t, 19> kBucketBounds = {
    50,        100,       250,        500,        1'000,     2'500,   5'000,
    10'000,    25'000,    50'000,     100'000,    250'000,   500'000, 1'000'000,
    2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};
inline constexpr std::size_t kBuckets = kBucketBounds.size() + 1;  // the last is +Inf
inline constexpr std::size_t kHistogramCells = kBuckets + 1;       // and the sum

// Values of a label that a higher layer names at start (MetricsNames::name_values): that many,
// the last one is "other".
inline constexpr std::size_t kLateValues = 96;

struct MetricInfo {
  Metric id;
  Scope scope;
  MetricKind kind;
  std::string_view name;
  std::string_view help;
  std::string_view unit = "";                     // "bytes", "seconds", or empty: a count
  std::string_view label = "";                    // besides the scope's own
  std::span<const std::string_view> values = {};  // of the label; empty with a label: late
  double per_unit = 1;                            // how many a cell counts for one unit
  bool sparse = false;  // values that counted nothing are left out: most are never met

  constexpr std::size_t cells() const {
    if (kind == MetricKind::histogram) return kHistogramCells;
    if (label.empty()) return 1;
    return values.empty() ? kLateValues : values.size();
  }
  constexpr bool has_late_values() const { return !label.empty() && values.empty(); }
};

inline constexpr std::array<MetricInfo, kMetricCount> kMetrics = {{
    {Metric::build_info, Scope::process, MetricKind::gauge, "doorward_build_info",
     "Always 1; the label tells the version.", "", "version"},
    {Metric::start_time, Scope::process, MetricKind::gauge, "process_start_time_seconds",
     "When the process started, since the Unix epoch.", "seconds"},
    {Metric::config_loaded_time, Scope::process, MetricKind::gauge,
     "doorward_config_loaded_timestamp_seconds",
     "When the running configuration was loaded, since the Unix epoch.", "seconds"},
    {Metric::reloads, Scope::process, MetricKind::counter, "doorward_reloads_total",
     "Reloads of the configuration; a failed one left the old configuration running.", "", "result",
     kReloadResults},
    {Metric::replies, Scope::process, MetricKind::counter, "doorward_replies_total",
     "Problems (RFC 9457) that Doorward answered with, by code; `malformed` stands for those that "
     "doorward_parser_refusals_total tells apart.",
     "", "code"},
    {Metric::access_log_lines, Scope::process, MetricKind::counter,
     "doorward_access_log_lines_total", "Lines taken for the access log."},
    {Metric::access_log_dropped, Scope::process, MetricKind::counter,
     "doorward_access_log_dropped_total",
     "Lines lost because the log could not be written as fast as lines came."},
    {Metric::access_log_errors, Scope::process, MetricKind::counter,
     "doorward_access_log_errors_total", "Writes or openings of the access log that failed."},
    {Metric::loop_turns, Scope::process, MetricKind::counter, "doorward_loop_turns_total",
     "Turns of the event loops."},
    {Metric::loop_no_buffers, Scope::process, MetricKind::counter, "doorward_loop_no_buffers_total",
     "Receives that had to wait for a free buffer."},
    {Metric::loop_overflows, Scope::process, MetricKind::counter, "doorward_loop_overflows_total",
     "Times that the kernel had more completions than the ring had room for."},

    {Metric::connections_accepted, Scope::listener, MetricKind::counter,
     "doorward_connections_accepted_total", "Connections accepted from clients."},
    {Metric::connections_open, Scope::listener, MetricKind::gauge, "doorward_connections_open",
     "Connections of clients that are open."},
    {Metric::connections_refused, Scope::listener, MetricKind::counter,
     "doorward_connections_refused_total", "Connections closed at once, by the limit they met.", "",
     "reason", kRefusedBecause},
    {Metric::connections_timed_out, Scope::listener, MetricKind::counter,
     "doorward_connections_timed_out_total",
     "Connections given up because the client was too slow, by what was waited for.", "", "phase",
     kTimedOutIn},
    {Metric::bytes_received, Scope::listener, MetricKind::counter, "doorward_received_bytes_total",
     "Bytes received from clients.", "bytes"},
    {Metric::bytes_sent, Scope::listener, MetricKind::counter, "doorward_sent_bytes_total",
     "Bytes sent to clients.", "bytes"},
    {Metric::requests, Scope::listener, MetricKind::counter, "doorward_requests_total",
     "Requests whose head was complete.", "", "protocol", kVersions},
    {Metric::connections_by_protocol, Scope::listener, MetricKind::counter,
     "doorward_connections_protocol_total",
     "Connections of clients by the HTTP that they speak: by ALPN, the settings, or their first "
     "bytes.",
     "", "protocol", kConnectionProtocols},
    {Metric::http2_streams_open, Scope::listener, MetricKind::gauge, "doorward_http2_streams_open",
     "Streams of HTTP/2 that are open: requests under way on such connections."},
    {Metric::http2_resets_by_client, Scope::listener, MetricKind::counter,
     "doorward_http2_client_resets_total",
     "Streams of HTTP/2 that clients have reset, by the error code they gave.", "", "code",
     kHttp2Codes, 1, true},
    {Metric::http2_resets_by_doorward, Scope::listener, MetricKind::counter,
     "doorward_http2_resets_total",
     "Streams of HTTP/2 towards clients that Doorward has reset, by its error code.", "", "code",
     kHttp2Codes, 1, true},
    {Metric::tls_connections, Scope::listener, MetricKind::counter,
     "doorward_tls_connections_total", "TLS connections by their version of TLS.", "", "version",
     kTlsVersions, 1, true},
    {Metric::parser_refusals, Scope::listener, MetricKind::counter,
     "doorward_parser_refusals_total", "Requests refused as malformed or over a limit.", "",
     "code"},
    {Metric::tls_handshakes, Scope::listener, MetricKind::counter, "doorward_tls_handshakes_total",
     "TLS handshakes that succeeded.", "", "kind", kHandshakeKinds},
    {Metric::tls_handshake_failures, Scope::listener, MetricKind::counter,
     "doorward_tls_handshake_failures_total", "TLS handshakes that failed.", "", "reason"},
    {Metric::tls_connections_broken, Scope::listener, MetricKind::counter,
     "doorward_tls_connections_broken_total",
     "TLS connections that the client broke after the handshake: by an alert, a bad record or a "
     "flood.",
     "", "reason"},
    {Metric::http2_connections_broken, Scope::listener, MetricKind::counter,
     "doorward_http2_connections_broken_total",
     "HTTP/2 connections that ended out of order: by the client's abuse or fault, or lost.", "",
     "reason"},
    {Metric::tls_unknown_names, Scope::listener, MetricKind::counter,
     "doorward_tls_unknown_names_total",
     "TLS clients that asked for a name without a certificate and were shown the default one."},
    {Metric::tls_certificate_expiry,
     Scope::listener,
     MetricKind::gauge,
     "doorward_tls_certificate_expiry_timestamp_seconds",
     "When the first of the listener's certificates expires, since the Unix epoch.",
     "seconds",
     "",
     {},
     1,
     true},
    {Metric::tls_crl_next_update,
     Scope::listener,
     MetricKind::gauge,
     "doorward_tls_crl_next_update_timestamp_seconds",
     "When the first of the listener's revocation lists runs out, since the Unix epoch.",
     "seconds",
     "",
     {},
     1,
     true},

    {Metric::route_requests, Scope::route, MetricKind::counter, "doorward_route_requests_total",
     "Requests finished, by class of the status sent (none: the client left before).", "", "status",
     kStatusClasses},
    {Metric::route_in_flight, Scope::route, MetricKind::gauge, "doorward_route_in_flight",
     "Requests that have begun and not finished."},
    {Metric::route_duration,
     Scope::route,
     MetricKind::histogram,
     "doorward_route_duration_seconds",
     "Time from the request's head to the last byte of the response; of a tunnel (a WebSocket), "
     "until it opened.",
     "seconds",
     "",
     {},
     1e6},
    {Metric::route_bytes_received, Scope::route, MetricKind::counter,
     "doorward_route_received_bytes_total", "Bytes of requests received from clients.", "bytes"},
    {Metric::route_bytes_sent, Scope::route, MetricKind::counter, "doorward_route_sent_bytes_total",
     "Bytes of responses sent to clients.", "bytes"},
    {Metric::route_shadow_replies, Scope::route, MetricKind::counter,
     "doorward_shadow_replies_total",
     "Replies that policies in shadow mode would have made; the event log names the policies."},
    {Metric::route_grpc_responses, Scope::route, MetricKind::counter,
     "doorward_route_grpc_responses_total",
     "gRPC calls finished, by the number of their status (1 too when the client left).", "",
     "grpc_status", kGrpcStatuses, 1, true},
    {Metric::route_websockets_open,
     Scope::route,
     MetricKind::gauge,
     "doorward_route_websockets_open",
     "WebSockets that are open.",
     "",
     "",
     {},
     1,
     true},
    {Metric::route_websockets_closed, Scope::route, MetricKind::counter,
     "doorward_route_websockets_closed_total",
     "WebSockets that have ended, by the code of the first close frame (none: without a code, "
     "broken: no close frame came).",
     "", "code", kCloseCodes, 1, true},
    {Metric::route_websocket_messages, Scope::route, MetricKind::counter,
     "doorward_route_websocket_messages_total",
     "Messages on WebSockets of routes with the policy `websocket`, by sender.", "", "sender",
     kSenders, 1, true},

    {Metric::service_requests, Scope::service, MetricKind::counter,
     "doorward_service_requests_total",
     "Attempts finished, those of policies too, by class of the status received (none: the backend "
     "gave no response; abandoned: none came, and it was not its fault).",
     "", "status", kAttemptEnds},
    {Metric::service_in_flight, Scope::service, MetricKind::gauge, "doorward_service_in_flight",
     "Attempts that have begun, with the choice of an endpoint, and not finished."},
    {Metric::service_duration,
     Scope::service,
     MetricKind::histogram,
     "doorward_service_duration_seconds",
     "Time from the choice of an endpoint, or from the end of a request body that was streamed, to "
     "the head of the response; connecting is in it. Attempts without a response are not.",
     "seconds",
     "",
     {},
     1e6},
    {Metric::service_bytes_sent, Scope::service, MetricKind::counter,
     "doorward_service_sent_bytes_total", "Bytes sent to backends.", "bytes"},
    {Metric::service_bytes_received, Scope::service, MetricKind::counter,
     "doorward_service_received_bytes_total", "Bytes received from backends.", "bytes"},
    {Metric::service_retries, Scope::service, MetricKind::counter, "doorward_service_retries_total",
     "Attempts after the first one of a request."},
    {Metric::service_connects, Scope::service, MetricKind::counter,
     "doorward_service_connects_total", "Connections opened to backends."},
    {Metric::service_connect_failures, Scope::service, MetricKind::counter,
     "doorward_service_connect_failures_total", "Connections to backends that failed to open."},
    {Metric::service_reuses, Scope::service, MetricKind::counter,
     "doorward_service_connection_reuses_total", "Attempts sent on a connection of the pool."},
    {Metric::service_connections_open, Scope::service, MetricKind::gauge,
     "doorward_service_connections_open", "Connections to backends that are open."},
    {Metric::service_waiting, Scope::service, MetricKind::gauge, "doorward_service_waiting",
     "Requests that wait for a connection, or for the service's names to be resolved."},
    {Metric::service_tls_failures, Scope::service, MetricKind::counter,
     "doorward_service_tls_failures_total",
     "TLS connections to backends that failed, in the handshake or after it.", "", "reason"},
    {Metric::service_tls_certificate_expiry,
     Scope::service,
     MetricKind::gauge,
     "doorward_service_tls_certificate_expiry_timestamp_seconds",
     "When the certificate that Doorward shows to the service's backends expires, since the Unix "
     "epoch.",
     "seconds",
     "",
     {},
     1,
     true},
    {Metric::service_http2_broken, Scope::service, MetricKind::counter,
     "doorward_service_http2_connections_broken_total",
     "HTTP/2 connections to backends that ended out of order.", "", "reason"},
    {Metric::service_responses_broken, Scope::service, MetricKind::counter,
     "doorward_service_responses_broken_total",
     "Responses that did not come whole behind their head: broken off, malformed or stalled."},
    {Metric::service_parser_refusals, Scope::service, MetricKind::counter,
     "doorward_service_parser_refusals_total", "Responses refused as malformed or over a limit.",
     "", "code"},
    {Metric::service_failure_duration,
     Scope::service,
     MetricKind::histogram,
     "doorward_service_failure_duration_seconds",
     "Time from the same moment as in doorward_service_duration_seconds to the failure of attempts "
     "that got no response (status none).",
     "seconds",
     "",
     {},
     1e6,
     true},
    {Metric::service_wait,
     Scope::service,
     MetricKind::histogram,
     "doorward_service_wait_seconds",
     "Time that requests waited before an endpoint could be chosen, for a connection or for names "
     "to be resolved, also those that gave up; who need not wait is not in it.",
     "seconds",
     "",
     {},
     1e6,
     true},
}};

consteval bool metrics_in_order() {
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    if (static_cast<std::size_t>(kMetrics[i].id) != i) return false;
  }
  return true;
}
static_assert(metrics_in_order(), "kMetrics has one line per Metric, in the order of the enum");

constexpr const MetricInfo& info(Metric metric) {
  return kMetrics[static_cast<std::size_t>(metric)];
}

// The first cell of a metric among those of its scope.
consteval std::array<std::uint16_t, kMetricCount> metric_offsets() {
  std::array<std::uint16_t, kMetricCount> offsets{};
  std::array<std::size_t, kScopes> used{};
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    auto& next = used[static_cast<std::size_t>(kMetrics[i].scope)];
    offsets[i] = static_cast<std::uint16_t>(next);
    next += kMetrics[i].cells();
  }
  return offsets;
}
inline constexpr auto kMetricOffsets = metric_offsets();

// Cells of one slot of each scope, rounded up to whole cache lines. Counted at compile time: every
// request finds its slot by them.
consteval std::array<std::size_t, kScopes> scope_cells() {
  std::array<std::size_t, kScopes> cells{};
  for (const MetricInfo& metric : kMetrics) {
    cells[static_cast<std::size_t>(metric.scope)] += metric.cells();
  }
  for (std::size_t& count : cells) count = (count + 7) / 8 * 8;
  return cells;
}
inline constexpr auto kScopeCells = scope_cells();

constexpr std::size_t cells_of(Scope scope) { return kScopeCells[static_cast<std::size_t>(scope)]; }

}  // namespace doorward::observe
