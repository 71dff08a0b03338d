// GrpcCall: what an exchange knows of itself as a gRPC or gRPC-Web call.
// Owner: the Exchange; views point into its arena, or are static.
#pragma once

#include <string_view>

#include "translate/grpc/content_type.h"

namespace doorward::exchange {

struct GrpcCall {
  translate::grpc::ContentType type;  // as the client said it, whatever policies made of it
  bool has_timeout = false;           // the client gives it some time: grpc-timeout
  std::string_view status;            // grpc-status as the client got it

  explicit operator bool() const { return type.wire != translate::grpc::Wire::none; }
};

}  // namespace doorward::exchange
