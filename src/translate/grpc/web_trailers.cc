#include "translate/grpc/web_trailers.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/field.h"
#include "text/ascii.h"

namespace doorward::translate::grpc {
namespace {

constexpr std::size_t kPrefixSize = 5;
constexpr std::string_view kColon = ": ";
constexpr std::string_view kCrlf = "\r\n";

std::size_t block_size(const http::HeaderList& trailers) {
  std::size_t size = 0;
  for (const http::Header& trailer : trailers) {
    size += trailer.name.size() + kColon.size() + trailer.value.size() + kCrlf.size();
  }
  return size;
}

char* append(char* to, std::string_view text) { return std::ranges::copy(text, to).out; }

}  // namespace

std::size_t trailer_frame_size(const http::HeaderList& trailers) {
  return kPrefixSize + block_size(trailers);
}

char* write_trailer_frame(const http::HeaderList& trailers, char* to) {
  const std::size_t size = block_size(trailers);
  *to++ = '\x80';
  for (const unsigned shift : {24U, 16U, 8U, 0U}) *to++ = static_cast<char>(size >> shift);
  for (const http::Header& trailer : trailers) {
    to = std::ranges::transform(trailer.name, to, &text::lower).out;
    to = append(append(append(to, kColon), trailer.value), kCrlf);
  }
  return to;
}

void expose_status(http::HeaderList& headers) {
  using http::HeaderName;
  if (http::has_token(headers, HeaderName::access_control_expose_headers, "grpc-status")) return;
  headers.add(HeaderName::access_control_expose_headers,
              "grpc-status, grpc-message, grpc-status-details-bin");
}

}  // namespace doorward::translate::grpc
