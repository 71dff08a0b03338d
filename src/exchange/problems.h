// Every code that Doorward itself answers with, besides the codecs' refusals of malformed requests:
// status, title for people, what to do about it. docs/reference/problems.md comes from this table;
// the codes are a contract and never change their meaning.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "http/uri.h"
#include "observe/metric_table.h"

namespace doorward::exchange {

struct Problem {
  std::string_view code;
  std::uint16_t status;
  std::string_view meaning;
};

constexpr Problem bad_uri(http::UriRefusal refusal) {
  return {to_string(refusal), 400, sentence(refusal)};
}

inline constexpr std::array kProblems = {
    Problem{"bad_request", 400, "The request is malformed."},
    // Of a target's refusals only those that no codec makes before, under the same code.
    bad_uri(http::UriRefusal::target_invalid),
    bad_uri(http::UriRefusal::target_character),
    bad_uri(http::UriRefusal::path_percent_invalid),
    bad_uri(http::UriRefusal::path_encoded_slash),
    bad_uri(http::UriRefusal::path_encoded_backslash),
    bad_uri(http::UriRefusal::path_encoded_null),
    bad_uri(http::UriRefusal::path_backslash),
    bad_uri(http::UriRefusal::path_above_root),
    bad_uri(http::UriRefusal::host_invalid),
    bad_uri(http::UriRefusal::host_port_invalid),
    Problem{"grpc_timeout_invalid", 400, "The header grpc-timeout cannot be read."},
    Problem{"deadline_invalid", 400,
            "The client's time for its request (`timeouts.deadline_header`) cannot be read."},
    Problem{"grpc_web_invalid", 400, "The request's body is not gRPC-Web."},
    Problem{"no_route", 404, "No route of the configuration matches the request."},
    Problem{"method_not_allowed", 405,
            "Routes match but for the method; Allow names those that do."},
    Problem{"header_timeout", 408, "The request's head did not arrive in time."},
    Problem{"body_timeout", 408, "The request's body stopped arriving."},
    Problem{"request_too_slow", 408, "The request arrives below the minimum data rate."},
    Problem{"body_too_large", 413, "The request's body is larger than the limit."},
    Problem{"misdirected_request", 421,
            "The connection's TLS certificate is not for the host asked for (`strict_sni`)."},
    Problem{"rewrite_invalid", 400, "The rewritten path is no valid path for the backend."},
    Problem{"not_found", 404, "The admin listener has no such endpoint."},
    Problem{"unauthorized", 401, "The admin listener wants its token."},
    Problem{"host_not_allowed", 403,
            "On loopback the admin listener answers to localhost and IP addresses only."},
    Problem{"not_ready", 503, "Doorward takes no traffic: it starts or drains."},
    Problem{"ip_denied", 403, "The client's address is not allowed."},
    Problem{"client_certificate_missing", 403, "The route wants a client certificate."},
    Problem{"client_certificate_denied", 403, "The client's certificate is not allowed."},
    Problem{"client_certificate_expired", 403,
            "The client's certificate has expired since its connection began."},
    Problem{"client_certificate_revoked", 403,
            "The client's certificate was revoked since its connection began."},
    Problem{"redirect_invalid", 500, "The route's redirect renders to no valid target."},
    Problem{"auth_denied", 403, "The authorisation service refused the request."},
    Problem{"auth_unavailable", 503, "The authorisation service did not answer."},
    Problem{"name_unresolved", 502, "The endpoint's name has no address."},
    Problem{"connect_failed", 502, "The endpoint refused the connection, or cannot be reached."},
    Problem{"connect_timeout", 504, "The endpoint did not take the connection in time."},
    Problem{"backend_tls_failed", 502,
            "TLS with the endpoint failed; the detail and the event log say why."},
    Problem{"backend_no_websocket", 502,
            "The backend speaks HTTP/2 and takes no WebSocket over it (RFC 8441)."},
    Problem{"backend_no_upgrade", 502,
            "The backend speaks HTTP/2, which has no upgrade but that to WebSocket."},
    Problem{"tls_plain_http", 400, "A request in cleartext came to a port that speaks TLS."},
    Problem{"backend_closed", 502, "The backend closed the connection before its response."},
    Problem{"backend_reset", 502, "The backend broke the connection before its response."},
    Problem{"backend_protocol_error", 502, "The backend's response is malformed."},
    Problem{"first_byte_timeout", 504, "The backend did not begin its response in time."},
    Problem{"backend_idle_timeout", 504, "The backend's response stopped arriving."},
    Problem{"backend_ping_timeout", 504,
            "The backend stopped answering on its HTTP/2 connection, PINGs too."},
    Problem{"total_timeout", 504, "The service's total time is over."},
    Problem{"deadline_exceeded", 504,
            "The time that the client gives its request (`timeouts.deadline_header`) is over."},
    Problem{"grpc_deadline_exceeded", 504,
            "The time that the client gives its gRPC call (grpc-timeout) is over."},
    Problem{"out_of_resources", 503,
            "Doorward has no file descriptor or no memory left for a connection to the backend; "
            "the event of that name says which limit."},
    Problem{"pool_exhausted", 503, "All connections are in use, and none became free in time."},
    Problem{"no_endpoint", 503, "The service has no endpoint to ask."},
    Problem{"client_closed", 499, "The client left before the response; only in logs."},
    Problem{"client_reset", 499, "The client broke the connection; only in logs."},
    Problem{"client_stalled", 499, "The client did not take the response in time; only in logs."},
    Problem{"too_many_connections", 503, "The listener's limit of connections is reached."},
    Problem{"websocket_required", 426, "Only WebSocket connections are served here."},
    Problem{"websocket_origin_denied", 403, "Pages of this origin may not open a WebSocket."},
    Problem{"websocket_subprotocol_denied", 403,
            "None of the WebSocket subprotocols that were offered is allowed."},
    Problem{"websocket_answer_denied", 502,
            "The backend chose a WebSocket subprotocol or an extension that is not allowed."},
    Problem{"websocket_protocol_error", 101,
            "A WebSocket was closed for a malformed frame (1002 or 1007); only in logs."},
    Problem{"websocket_message_too_large", 101,
            "A WebSocket was closed for too large a message (1009); only in logs."},
    Problem{"websocket_too_fast", 101,
            "A WebSocket was closed for too many messages of the client (1008); only in logs."},
    Problem{"websocket_idle", 101,
            "A WebSocket on which nothing moved was closed (1001); only in logs."},
    Problem{"websocket_credential_expired", 101,
            "A WebSocket was closed because what let it in is over (1008); only in logs."},
    Problem{"websocket_credential_revoked", 101,
            "A WebSocket was closed because what let it in was revoked (1008); only in logs."},
    Problem{"internal_error", 500, "Doorward failed; its log says more."},
};

static_assert(kProblems.size() + 2 <= observe::kLateValues, "of Metric::replies, with two others");

// The place of a code in the table; the table's size for codes of others (policies, parsers).
constexpr std::size_t problem_number(std::string_view code) {
  std::size_t i = 0;
  while (i < kProblems.size() && kProblems[i].code != code) ++i;
  return i;
}

}  // namespace doorward::exchange
