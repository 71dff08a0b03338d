// The percent-encoding of grpc-message: bytes that are not printable ASCII, and '%', are escaped.
// Source: gRPC over HTTP2, "Responses". Pure functions.
#pragma once

#include <string_view>

#include "base/arena.h"

namespace doorward::translate::grpc {

// `text` (UTF-8) itself when nothing must be escaped, else bytes in `arena`.
std::string_view encode_message(std::string_view text, Arena& arena);

}  // namespace doorward::translate::grpc
