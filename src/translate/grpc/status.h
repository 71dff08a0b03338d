// gRPC's status codes, and which of them an answer of Doorward's own is. Sources: gRPC's
// statuscodes.md and http-grpc-status-mapping.md; docs/guide/grpc.md has the table and the reasons.
// Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace doorward::translate::grpc {

enum class Status : std::uint8_t {
  ok,
  cancelled,
  unknown,
  invalid_argument,
  deadline_exceeded,
  not_found,
  already_exists,
  permission_denied,
  resource_exhausted,
  failed_precondition,
  aborted,
  out_of_range,
  unimplemented,
  internal,
  unavailable,
  data_loss,
  unauthenticated,
};
inline constexpr unsigned kStatuses = 17;

// "DEADLINE_EXCEEDED".
std::string_view to_string(Status status);
// "4", as grpc-status says it.
std::string_view number_of(Status status);

// The number in a grpc-status; kStatuses for what is none.
unsigned parse_status(std::string_view text);

// The status for a reply of this HTTP status and problem code (which may be empty).
Status status_for(std::uint16_t http_status, std::string_view code);

}  // namespace doorward::translate::grpc
