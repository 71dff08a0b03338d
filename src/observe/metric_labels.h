// Values of the metrics' labels that have a fixed set. A value is given by its number
// (MetricSeries::add_value): the enums and functions here say which.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace doorward::observe {

enum class RefusedBecause : std::uint8_t {
  connections,
  connections_per_ip,
  descriptors,
  draining,
  proxy_protocol
};
enum class TimedOutIn : std::uint8_t { header, body, idle, send, data_rate };
enum class ReloadResult : std::uint8_t { ok, failed };
inline constexpr std::array<std::string_view, 5> kRefusedBecause = {
    "connections", "connections_per_ip", "descriptors", "draining", "proxy_protocol"};
inline constexpr std::array<std::string_view, 5> kTimedOutIn = {"header", "body", "idle", "send",
                                                                "data_rate"};
inline constexpr std::array<std::string_view, 2> kHandshakeKinds = {"full", "resumed"};
inline constexpr std::array<std::string_view, 2> kReloadResults = {"ok", "failed"};
// "none": the client left before a status was sent.
inline constexpr std::array<std::string_view, 6> kStatusClasses = {"none", "1xx", "2xx",
                                                                   "3xx",  "4xx", "5xx"};

// How an attempt ended: the class of the status received, or as service_requests says.
inline constexpr std::array<std::string_view, 7> kAttemptEnds = {"none", "1xx", "2xx",      "3xx",
                                                                 "4xx",  "5xx", "abandoned"};
inline constexpr unsigned kAttemptFailed = 0;
inline constexpr unsigned kAttemptAbandoned = 6;

// The numbers of gRPC's status codes; "other": none came, or what is no such number.
inline constexpr std::array<std::string_view, 18> kGrpcStatuses = {
    "0", "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",
    "9", "10", "11", "12", "13", "14", "15", "16", "other"};

// By http::Version; of a connection, HTTP/1.0 and HTTP/1.1 are one.
inline constexpr std::array<std::string_view, 3> kVersions = {"HTTP/1.0", "HTTP/1.1", "HTTP/2"};
enum class ConnectionProtocol : std::uint8_t { http1, http2 };
inline constexpr std::array<std::string_view, 2> kConnectionProtocols = {"HTTP/1.1", "HTTP/2"};
inline constexpr std::array<std::string_view, 3> kTlsVersions = {"TLSv1.2", "TLSv1.3", "other"};
// The error codes of RFC 9113 §7, by their numbers.
inline constexpr std::array<std::string_view, 15> kHttp2Codes = {"no_error",
                                                                 "protocol_error",
                                                                 "internal_error",
                                                                 "flow_control_error",
                                                                 "settings_timeout",
                                                                 "stream_closed",
                                                                 "frame_size_error",
                                                                 "refused_stream",
                                                                 "cancel",
                                                                 "compression_error",
                                                                 "connect_error",
                                                                 "enhance_your_calm",
                                                                 "inadequate_security",
                                                                 "http_1_1_required",
                                                                 "other"};
// RFC 6455 §7.4.1; "none": a close frame without a code; "broken": no close frame came.
inline constexpr std::array<std::string_view, 19> kCloseCodes = {
    "1000", "1001", "1002", "1003", "1004", "none", "broken", "1007", "1008", "1009",
    "1010", "1011", "1012", "1013", "1014", "1015", "3xxx",   "4xxx", "other"};
inline constexpr std::array<std::string_view, 2> kSenders = {"client", "backend"};

constexpr unsigned tls_version_number(std::string_view version) {
  return version == kTlsVersions[0] ? 0 : version == kTlsVersions[1] ? 1 : 2;
}

// The value of the label `code` for a WebSocket's close code.
constexpr unsigned close_code_number(unsigned code) {
  if (code >= 1000 && code <= 1015) return code - 1000;
  return code / 1000 == 3 ? 16 : code / 1000 == 4 ? 17 : 18;
}

// The value of the label `status` for a status code; 0 and nonsense are "none".
constexpr unsigned status_class(unsigned status) {
  const unsigned hundreds = status / 100;
  return hundreds < kStatusClasses.size() ? hundreds : 0;
}

}  // namespace doorward::observe
