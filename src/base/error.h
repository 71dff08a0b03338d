// Error and Result: what a function that can fail returns (layers 2-7 throw nothing at run time).
// An Error says what happened, whose fault it is and whether the work may be tried again; one
// table (exchange/reply.cc) turns it into a reply.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace doorward {

enum class ErrorKind : std::uint8_t {
  cancelled,    // the waiter's owner gave up
  timeout,      // a deadline passed
  closed,       // the peer ended the connection in order (FIN)
  reset,        // the peer, or the kernel, broke the connection
  refused,      // a connection was refused
  unreachable,  // no route, or no such socket file
  unresolved,   // a name has no address
  protocol,     // the peer's bytes break the protocol
  limit,        // a documented limit was reached
  unavailable,  // nothing to try: no endpoint, no free connection
  invalid,      // input or configuration that cannot be used
  system,       // the operating system said no (errno in `code`)
};

enum class Side : std::uint8_t { client, backend, doorward };

// May the same work be tried again elsewhere?
enum class Retry : std::uint8_t {
  no,
  yes,        // the work never began
  if_reused,  // only when it went out on a reused connection (a stale keep-alive connection)
};

struct Error {
  ErrorKind kind = ErrorKind::system;
  Side side = Side::doorward;
  Retry retry = Retry::no;
  int code = 0;                  // errno, or a number of the kind's own (parse code)
  std::string_view reason = {};  // a stable snake_case code where one is known; static text
  std::string cause;  // one clause for people, without secrets: "connect to 10.0.0.1:80: refused"
};

template <class T>
using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

inline Failure fail(ErrorKind kind, std::string cause, int code = 0) {
  return Failure(Error{kind, Side::doorward, Retry::no, code, {}, std::move(cause)});
}

// An Error from errno, with the kind that fits it: "bind to 0.0.0.0:80: Permission denied".
Error system_error(int errno_value, std::string_view what);
inline Failure system_failure(int errno_value, std::string_view what) {
  return Failure(system_error(errno_value, what));
}

std::string_view to_string(ErrorKind kind);
std::string_view to_string(Side side);

}  // namespace doorward
