#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace doorward {
namespace {

ErrorKind kind_of(int errno_value) {
  switch (errno_value) {
    case ECANCELED:
      return ErrorKind::cancelled;
    case ETIMEDOUT:
      return ErrorKind::timeout;
    case ECONNREFUSED:
      return ErrorKind::refused;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return ErrorKind::reset;
    case ENOENT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
      return ErrorKind::unreachable;
    default:
      return ErrorKind::system;
  }
}

}  // namespace

Error system_error(int errno_value, std::string_view what) {
  std::string cause(what);
  cause += ": ";
  const char* meaning = strerrordesc_np(errno_value);
  cause += meaning != nullptr ? meaning : "unknown error";
  return Error{kind_of(errno_value), Side::doorward, Retry::no, errno_value, {}, std::move(cause)};
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::cancelled:
      return "cancelled";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::closed:
      return "closed";
    case ErrorKind::reset:
      return "reset";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::unreachable:
      return "unreachable";
    case ErrorKind::unresolved:
      return "unresolved";
    case ErrorKind::protocol:
      return "protocol";
    case ErrorKind::limit:
      return "limit";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::system:
      return "system";
  }
  return "unknown";
}

std::string_view to_string(Side side) {
  switch (side) {
    case Side::client:
      return "client";
    case Side::backend:
      return "backend";
    case Side::doorward:
      return "doorward";
  }
  return "unknown";
}

}  // namespace doorward
