// Content types of gRPC and gRPC-Web: "application/grpc", "-web", "-web-text", each with the
// messages' format behind it ("+proto", "+json", …). Sources: gRPC over HTTP2, "Requests";
// gRPC-Web, "HTTP wire protocols". Pure functions; views point into what was given.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"

namespace doorward::translate::grpc {

enum class Wire : std::uint8_t {
  none,      // no gRPC at all
  grpc,      // messages, and the status in trailers
  web,       // messages, and the status in a frame behind them
  web_text,  // … in base64
};

constexpr bool is_web(Wire wire) { return wire == Wire::web || wire == Wire::web_text; }

struct ContentType {
  Wire wire = Wire::none;
  std::string_view format;  // "+proto"; empty when the type names none
};

// Of a Content-Type's value; its parameters and its case do not matter.
ContentType read_content_type(std::string_view value);

// "application/grpc-web+proto"; in static storage or in `arena`.
std::string_view write_content_type(const ContentType& type, Arena& arena);

inline bool is_grpc(std::string_view content_type) {
  return read_content_type(content_type).wire == Wire::grpc;
}
inline bool is_grpc_web(std::string_view content_type) {
  return is_web(read_content_type(content_type).wire);
}

}  // namespace doorward::translate::grpc
