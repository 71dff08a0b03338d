#include "translate/grpc/status.h"

#include <algorithm>

namespace doorward::translate::grpc {
namespace {

struct Name {
  std::string_view number;
  std::string_view name;
};
constexpr std::array<Name, kStatuses> kNames = {{
    {"0", "OK"},
    {"1", "CANCELLED"},
    {"2", "UNKNOWN"},
    {"3", "INVALID_ARGUMENT"},
    {"4", "DEADLINE_EXCEEDED"},
    {"5", "NOT_FOUND"},
    {"6", "ALREADY_EXISTS"},
    {"7", "PERMISSION_DENIED"},
    {"8", "RESOURCE_EXHAUSTED"},
    {"9", "FAILED_PRECONDITION"},
    {"10", "ABORTED"},
    {"11", "OUT_OF_RANGE"},
    {"12", "UNIMPLEMENTED"},
    {"13", "INTERNAL"},
    {"14", "UNAVAILABLE"},
    {"15", "DATA_LOSS"},
    {"16", "UNAUTHENTICATED"},
}};

}  // namespace

std::string_view to_string(Status status) { return kNames[static_cast<unsigned>(status)].name; }
std::string_view number_of(Status status) { return kNames[static_cast<unsigned>(status)].number; }

unsigned parse_status(std::string_view text) {
  const auto found = std::ranges::find(kNames, text, &Name::number);
  return static_cast<unsigned>(found - kNames.begin());
}

Status status_for(std::uint16_t http_status, std::string_view code) {
  // Nothing of the call has reached a backend, so it may be made again: as when one is down.
  if (code == "connect_timeout") return Status::unavailable;
  switch (http_status) {
    case 400:
    case 500:
      return Status::internal;
    case 401:
      return Status::unauthenticated;
    case 403:
      return Status::permission_denied;
    case 404:
    case 405:
    case 501:
      return Status::unimplemented;
    case 408:
    case 504:
      return Status::deadline_exceeded;
    // UNAVAILABLE for 429 would be what clients try again at once, on top of what was too much.
    case 413:
    case 414:
    case 429:
    case 431:
      return Status::resource_exhausted;
    case 499:
      return Status::cancelled;
    case 502:
    case 503:
      return Status::unavailable;
    default:
      return Status::unknown;
  }
}

}  // namespace doorward::translate::grpc
