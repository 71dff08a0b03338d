// The frame that ends a gRPC-Web response, and what pages may read.
#include "translate/grpc/web_trailers.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::translate::grpc {
namespace {

std::string frame_of(const http::HeaderList& trailers) {
  std::string frame(trailer_frame_size(trailers), '?');
  EXPECT_EQ(write_trailer_frame(trailers, frame.data()), frame.data() + frame.size());
  return frame;
}

TEST(WebTrailers, AreLinesInAFrameOfTheirOwn) {
  Arena arena;
  http::HeaderList trailers(arena);
  trailers.add(http::HeaderName::grpc_status, "0");
  trailers.add("Grpc-Message", "");
  trailers.add("X-Sum-Bin", "AQI=");
  const std::string block = "grpc-status: 0\r\ngrpc-message: \r\nx-sum-bin: AQI=\r\n";
  EXPECT_EQ(frame_of(trailers),
            std::string("\x80\0\0\0", 4) + static_cast<char>(block.size()) + block);
}

TEST(WebTrailers, RemovedOnesAreNotWritten) {
  Arena arena;
  http::HeaderList trailers(arena);
  trailers.add("a", "1");
  trailers.add("b", "2");
  trailers.remove("a");
  EXPECT_EQ(frame_of(trailers), std::string("\x80\0\0\0\6b: 2\r\n", 11));
}

TEST(WebTrailers, TheLengthHasFourBytes) {
  Arena arena;
  const std::string value(0x010203, 'v');
  http::HeaderList trailers(arena);
  trailers.add("abc", value);
  EXPECT_EQ(frame_of(trailers).substr(0, 5), std::string("\x80\0\1\2\x0a", 5));
}

TEST(WebTrailers, TheStatusIsExposedOnce) {
  Arena arena;
  http::HeaderList headers(arena);
  headers.add("access-control-expose-headers", "x-mine");
  expose_status(headers);
  EXPECT_EQ(headers.count(http::HeaderName::access_control_expose_headers), 2U);
  expose_status(headers);
  EXPECT_EQ(headers.count(http::HeaderName::access_control_expose_headers), 2U);
}

}  // namespace
}  // namespace doorward::translate::grpc
