// HeaderName: the field names that Doorward knows, as small integers. A name is classified once,
// when its line is parsed; afterwards everything compares integers. The list is the only place
// where a name is declared; it must stay below 128 entries (HeaderList's presence set).
#pragma once

#include <cstdint>
#include <string_view>

// identifier, name on the wire (lower case)
#define DOORWARD_HEADER_NAMES(X)                                          \
  X(accept, "accept")                                                     \
  X(accept_charset, "accept-charset")                                     \
  X(accept_encoding, "accept-encoding")                                   \
  X(accept_language, "accept-language")                                   \
  X(accept_ranges, "accept-ranges")                                       \
  X(access_control_allow_credentials, "access-control-allow-credentials") \
  X(access_control_allow_headers, "access-control-allow-headers")         \
  X(access_control_allow_methods, "access-control-allow-methods")         \
  X(access_control_allow_origin, "access-control-allow-origin")           \
  X(access_control_expose_headers, "access-control-expose-headers")       \
  X(access_control_max_age, "access-control-max-age")                     \
  X(access_control_request_headers, "access-control-request-headers")     \
  X(access_control_request_method, "access-control-request-method")       \
  X(age, "age")                                                           \
  X(allow, "allow")                                                       \
  X(alt_svc, "alt-svc")                                                   \
  X(authorization, "authorization")                                       \
  X(baggage, "baggage")                                                   \
  X(cache_control, "cache-control")                                       \
  X(connection, "connection")                                             \
  X(content_digest, "content-digest")                                     \
  X(content_disposition, "content-disposition")                           \
  X(content_encoding, "content-encoding")                                 \
  X(content_language, "content-language")                                 \
  X(content_length, "content-length")                                     \
  X(content_location, "content-location")                                 \
  X(content_md5, "content-md5")                                           \
  X(content_range, "content-range")                                       \
  X(content_security_policy, "content-security-policy")                   \
  X(content_type, "content-type")                                         \
  X(cookie, "cookie")                                                     \
  X(date, "date")                                                         \
  X(deprecation, "deprecation")                                           \
  X(dnt, "dnt")                                                           \
  X(doorward_debug, "doorward-debug")                                     \
  X(etag, "etag")                                                         \
  X(expect, "expect")                                                     \
  X(expires, "expires")                                                   \
  X(forwarded, "forwarded")                                               \
  X(from, "from")                                                         \
  X(grpc_status, "grpc-status")                                           \
  X(grpc_timeout, "grpc-timeout")                                         \
  X(host, "host")                                                         \
  X(http2_settings, "http2-settings")                                     \
  X(idempotency_key, "idempotency-key")                                   \
  X(if_match, "if-match")                                                 \
  X(if_modified_since, "if-modified-since")                               \
  X(if_none_match, "if-none-match")                                       \
  X(if_range, "if-range")                                                 \
  X(if_unmodified_since, "if-unmodified-since")                           \
  X(keep_alive, "keep-alive")                                             \
  X(last_modified, "last-modified")                                       \
  X(link, "link")                                                         \
  X(location, "location")                                                 \
  X(max_forwards, "max-forwards")                                         \
  X(origin, "origin")                                                     \
  X(pragma, "pragma")                                                     \
  X(priority, "priority")                                                 \
  X(proxy_authenticate, "proxy-authenticate")                             \
  X(proxy_authorization, "proxy-authorization")                           \
  X(proxy_connection, "proxy-connection")                                 \
  X(range, "range")                                                       \
  X(referer, "referer")                                                   \
  X(referrer_policy, "referrer-policy")                                   \
  X(retry_after, "retry-after")                                           \
  X(sec_fetch_dest, "sec-fetch-dest")                                     \
  X(sec_fetch_mode, "sec-fetch-mode")                                     \
  X(sec_fetch_site, "sec-fetch-site")                                     \
  X(sec_fetch_user, "sec-fetch-user")                                     \
  X(sec_websocket_accept, "sec-websocket-accept")                         \
  X(sec_websocket_extensions, "sec-websocket-extensions")                 \
  X(sec_websocket_key, "sec-websocket-key")                               \
  X(sec_websocket_protocol, "sec-websocket-protocol")                     \
  X(sec_websocket_version, "sec-websocket-version")                       \
  X(server, "server")                                                     \
  X(server_timing, "server-timing")                                       \
  X(set_cookie, "set-cookie")                                             \
  X(strict_transport_security, "strict-transport-security")               \
  X(sunset, "sunset")                                                     \
  X(te, "te")                                                             \
  X(traceparent, "traceparent")                                           \
  X(tracestate, "tracestate")                                             \
  X(trailer, "trailer")                                                   \
  X(transfer_encoding, "transfer-encoding")                               \
  X(upgrade, "upgrade")                                                   \
  X(upgrade_insecure_requests, "upgrade-insecure-requests")               \
  X(user_agent, "user-agent")                                             \
  X(vary, "vary")                                                         \
  X(via, "via")                                                           \
  X(warning, "warning")                                                   \
  X(www_authenticate, "www-authenticate")                                 \
  X(x_accel_buffering, "x-accel-buffering")                               \
  X(x_api_key, "x-api-key")                                               \
  X(x_content_type_options, "x-content-type-options")                     \
  X(x_forwarded_for, "x-forwarded-for")                                   \
  X(x_forwarded_host, "x-forwarded-host")                                 \
  X(x_forwarded_port, "x-forwarded-port")                                 \
  X(x_forwarded_prefix, "x-forwarded-prefix")                             \
  X(x_forwarded_proto, "x-forwarded-proto")                               \
  X(x_frame_options, "x-frame-options")                                   \
  X(x_powered_by, "x-powered-by")                                         \
  X(x_real_ip, "x-real-ip")                                               \
  X(x_request_id, "x-request-id")                                         \
  X(x_requested_with, "x-requested-with")

namespace doorward::http {

enum class HeaderName : std::uint8_t {
  other,  // a name that is not in the list
#define DOORWARD_HEADER_ENUM(id, text) id,
  DOORWARD_HEADER_NAMES(DOORWARD_HEADER_ENUM)
#undef DOORWARD_HEADER_ENUM
      count_
};

inline constexpr unsigned kHeaderNames = static_cast<unsigned>(HeaderName::count_);
static_assert(kHeaderNames <= 128, "HeaderList's presence set has 128 bits");

// Case-insensitive; `other` for what is not in the list. Constant time: one probe, one compare.
HeaderName classify(std::string_view name);

// "content-length"; empty for `other`. Static storage.
std::string_view canonical(HeaderName name);

}  // namespace doorward::http
