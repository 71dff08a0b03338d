// AccessRecord: what the access log can say about one request, and the one table of its fields.
// Filled by the request's core when the exchange ends; views live until the line is formatted.
// What has no value (an empty text, an unset duration) is left out of the line.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace doorward::observe {

// Microseconds of one step; unset when the request never came to it.
class StepTime {
 public:
  constexpr StepTime() = default;
  constexpr explicit StepTime(std::uint64_t micros) : micros_(micros) {}
  constexpr bool is_set() const { return micros_ != kUnset; }
  constexpr std::uint64_t micros() const { return micros_; }

 private:
  static constexpr std::uint64_t kUnset = ~std::uint64_t{0};
  std::uint64_t micros_ = kUnset;
};

// A query string as it came, without `?`; secrets in it are masked when it is written.
struct QueryText {
  std::string_view text;
};

struct AccessRecord {
  WallTime time{};  // when the request's head was complete
  std::string_view request_id;
  std::string_view listener;
  std::string_view client_ip;
  std::string_view method;
  std::string_view host;
  std::string_view path;  // normalised
  QueryText query;
  std::string_view protocol;     // "HTTP/1.1"
  std::string_view tls_version;  // "TLSv1.3"; empty in cleartext
  std::string_view tls_sni;
  std::string_view tls_client;  // the subject of its verified certificate
  std::uint64_t status = 0;     // 0: the client left before one was sent
  std::uint64_t bytes_in = 0;   // of the request: head and body as received
  std::uint64_t bytes_out = 0;  // of the response: head and body as sent
  std::string_view route;
  std::string_view service;
  std::string_view endpoint;
  std::uint64_t attempts = 0;
  std::string_view user_agent;
  std::string_view grpc_status;  // of a gRPC call, as the client was told it
  std::string_view error;   // the stable code of a reply that Doorward made, or of what went wrong
  std::string_view fault;   // of a malformed response: the exact one
  std::string_view policy;  // the policy that replied
  StepTime total;
  StepTime head;
  StepTime request_policies;
  StepTime retried;
  StepTime queue;
  StepTime connect;
  StepTime send;
  StepTime upload;
  StepTime first_byte;
  StepTime response;
  StepTime response_policies;
  StepTime body;
};

struct AccessField {
  using Member = std::variant<WallTime AccessRecord::*, std::string_view AccessRecord::*,
                              QueryText AccessRecord::*, std::uint64_t AccessRecord::*,
                              StepTime AccessRecord::*>;
  std::string_view name;
  std::string_view help;
  Member member;
};

// The order of the default set; names are at most kLongestFieldName characters.
inline constexpr std::size_t kLongestFieldName = 20;
inline constexpr std::array<AccessField, 36> kAccessFields = {{
    {"time", "When the request's head was complete, UTC.", &AccessRecord::time},
    {"request_id", "The id of the request.", &AccessRecord::request_id},
    {"listener", "The listener it came in by.", &AccessRecord::listener},
    {"client_ip", "The client, behind trusted proxies the one they name.",
     &AccessRecord::client_ip},
    {"method", "The method.", &AccessRecord::method},
    {"host", "The host asked for.", &AccessRecord::host},
    {"path", "The normalised path.", &AccessRecord::path},
    {"query", "The query; values of parameters in mask_query are \"***\".", &AccessRecord::query},
    {"protocol", "The client's protocol, such as HTTP/1.1.", &AccessRecord::protocol},
    {"tls_version", "The client's version of TLS, such as TLSv1.3.", &AccessRecord::tls_version},
    {"tls_sni", "The name that the client asked for by SNI.", &AccessRecord::tls_sni},
    {"tls_client", "The subject of the client's certificate.", &AccessRecord::tls_client},
    {"status", "The status sent; 0 when the client left before.", &AccessRecord::status},
    {"bytes_in", "Bytes of the request, head and body.", &AccessRecord::bytes_in},
    {"bytes_out", "Bytes of the response, head and body.", &AccessRecord::bytes_out},
    {"route", "The route that matched.", &AccessRecord::route},
    {"service", "The service asked.", &AccessRecord::service},
    {"endpoint", "The endpoint of the last attempt.", &AccessRecord::endpoint},
    {"attempts", "How many endpoints were tried.", &AccessRecord::attempts},
    {"user_agent", "The User-Agent header.", &AccessRecord::user_agent},
    {"grpc_status", "How a gRPC call ended, its number.", &AccessRecord::grpc_status},
    {"error", "The stable code of what went wrong.", &AccessRecord::error},
    {"fault", "What exactly is malformed in the backend's response.", &AccessRecord::fault},
    {"policy", "The policy that replied.", &AccessRecord::policy},
    {"total_us", "From the request's head to the last byte of the response, in microseconds.",
     &AccessRecord::total},
    {"head_us",
     "From the request's first byte to the end of its head, when that took several "
     "reads; not in total_us.",
     &AccessRecord::head},
    {"policies_us", "Time of the request's policies, in microseconds.",
     &AccessRecord::request_policies},
    {"retried_us", "From the first attempt's begin to the last one's, when there were several.",
     &AccessRecord::retried},
    {"queue_us", "Wait of the last attempt for a place at a backend.", &AccessRecord::queue},
    {"connect_us",
     "Time to open the last attempt's connection, TLS included; none when a kept "
     "one was used.",
     &AccessRecord::connect},
    {"send_us", "Time to send the request's head, with what was there of its body.",
     &AccessRecord::send},
    {"upload_us", "From then to the last byte of the request's body, when that followed.",
     &AccessRecord::upload},
    {"first_byte_us",
     "From the request sent to the head of the response, or until it was given up.",
     &AccessRecord::first_byte},
    {"response_us", "From the head of the response to its last byte, in microseconds.",
     &AccessRecord::response},
    {"response_policies_us", "Time of the policies with the response's head, in response_us.",
     &AccessRecord::response_policies},
    {"body_us",
     "From the response's head sent to its last byte, when the body followed; in "
     "response_us.",
     &AccessRecord::body},
}};

// A field by its place in kAccessFields.
enum class AccessFieldId : std::uint8_t {};

constexpr std::optional<AccessFieldId> find_access_field(std::string_view name) {
  for (std::size_t i = 0; i < kAccessFields.size(); ++i) {
    if (kAccessFields[i].name == name) return static_cast<AccessFieldId>(i);
  }
  return std::nullopt;
}

}  // namespace doorward::observe
