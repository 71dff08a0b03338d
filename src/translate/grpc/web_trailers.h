// The frame that ends a gRPC-Web response: the flag 0x80, four bytes of length, and the trailers as
// lines "name: value\r\n" with names in lower case. Source: gRPC-Web, "HTTP wire protocols".
// Pure functions.
#pragma once

#include <cstddef>

#include "http/header_list.h"

namespace doorward::translate::grpc {

std::size_t trailer_frame_size(const http::HeaderList& trailers);
// Writes trailer_frame_size() bytes; returns their end.
char* write_trailer_frame(const http::HeaderList& trailers, char* to);

// Lets pages of other origins read how a call ended when its response's head says it
// (Access-Control-Expose-Headers; whether they may call at all is another matter).
void expose_status(http::HeaderList& headers);

}  // namespace doorward::translate::grpc
