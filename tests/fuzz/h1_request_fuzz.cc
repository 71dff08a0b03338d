// The request parser on any bytes: whole, split in two, and byte by byte in memory that moves must
// give the same verdict and the same head; an accepted head, written and parsed again, means the
// same. The first byte of the input chooses where to split.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/h1/request_parser.h"
#include "codec/h1/writer.h"

namespace {

using namespace doorward;
using namespace doorward::codec::h1;

constexpr ParseLimits kLimits{
    .head_bytes = 2048, .header_count = 20, .target_length = 200, .line_length = 300};

std::string describe(const RequestParser& parser, const http::RequestHead& head) {
  std::string text = std::to_string(parser.consumed()) + " " + std::string(head.method_text) + " " +
                     std::string(head.target) + " " + std::string(parser.host()) + " " +
                     std::string(parser.path_and_query()) + " " + std::string(parser.upgrade()) +
                     " " + std::to_string(static_cast<int>(parser.framing().kind)) + " " +
                     std::to_string(parser.framing().length) + (parser.keep_alive() ? "k" : "c") +
                     (parser.expect_continue() ? "e" : "");
  for (const http::Header& header : head.headers) {
    text.append("\n").append(header.name).append("=").append(header.value);
    text.append("|").append(header.line());
  }
  return text;
}

// Parses as the bytes grow to each of `sizes`; every time in memory of exactly that size.
std::string parse(std::string_view bytes, const std::vector<std::size_t>& sizes) {
  Arena arena;
  http::RequestHead head(arena);
  RequestParser parser;
  std::unique_ptr<char[]> room;
  for (std::size_t size : sizes) {
    auto next = std::make_unique<char[]>(size);
    bytes.copy(next.get(), size);
    room.swap(next);
    const Progress progress = parser.parse({room.get(), size}, kLimits, head);
    if (progress == Progress::refused) return std::string(to_string(parser.refusal()));
    if (progress == Progress::done) return describe(parser, head);
  }
  return "need_more";
}

void check_written(std::string_view bytes) {
  Arena arena;
  http::RequestHead head(arena);
  RequestParser parser;
  if (parser.parse(bytes, kLimits, head) != Progress::done) return;
  std::string out(head_size(head, {}), '\0');
  out.resize(static_cast<std::size_t>(write_head(head, {}, out.data()) - out.data()));
  // The writer speaks HTTP/1.1, leaves out Transfer-Encoding and may lengthen nothing.
  http::RequestHead again(arena);
  RequestParser reader;
  const Progress progress = reader.parse(out, kLimits, again);
  if (head.version == http::Version::http10) return;
  DOORWARD_CHECK(progress == Progress::done && reader.consumed() == out.size());
  DOORWARD_CHECK(again.target == head.target && reader.host() == parser.host());
  DOORWARD_CHECK(parser.framing().kind == Body::chunked || reader.framing() == parser.framing());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = parse(input, {input.size()});
  const std::size_t middle = data[0] * input.size() / 255;
  DOORWARD_CHECK(parse(input, {middle, input.size()}) == whole);
  std::vector<std::size_t> every;
  for (std::size_t i = 0; i <= input.size(); ++i) every.push_back(i);
  DOORWARD_CHECK(parse(input, every) == whole);
  check_written(input);
  return 0;
}
