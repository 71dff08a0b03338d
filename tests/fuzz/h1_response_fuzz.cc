// The response parser on any bytes: whole, split in two, and byte by byte in memory that moves
// must give the same. The first byte chooses the request's method and where to split.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/h1/response_parser.h"

namespace {

using namespace doorward;
using namespace doorward::codec::h1;

constexpr ParseLimits kLimits{
    .head_bytes = 2048, .header_count = 20, .target_length = 200, .line_length = 300};

std::string describe(const ResponseParser& parser, const http::ResponseHead& head) {
  std::string text = std::to_string(parser.consumed()) + " " + std::to_string(head.status) + " " +
                     std::string(head.reason) + " " +
                     std::to_string(static_cast<int>(parser.framing().kind)) + " " +
                     std::to_string(parser.framing().length) + (parser.keep_alive() ? "k" : "c") +
                     (parser.interim() ? "i" : "") + (parser.switched() ? "s" : "");
  for (const http::Header& header : head.headers) {
    text.append("\n").append(header.name).append("=").append(header.value);
    text.append("|").append(header.line());
  }
  return text;
}

// All heads that follow each other, interim ones included.
std::string parse(std::string_view bytes, const std::vector<std::size_t>& sizes,
                  std::uint8_t kind) {
  Arena arena;
  http::ResponseHead head(arena);
  ResponseParser parser;
  parser.reset(static_cast<http::Method>(kind % 11), (kind & 16) != 0);
  std::unique_ptr<char[]> room;
  std::string text;
  std::size_t from = 0;
  for (std::size_t i = 0; i < sizes.size();) {
    const std::size_t size = sizes[i] > from ? sizes[i] - from : 0;
    auto next = std::make_unique<char[]>(size);
    bytes.substr(from).copy(next.get(), size);
    room.swap(next);
    const Progress progress = parser.parse({room.get(), size}, kLimits, head);
    if (progress == Progress::refused) return text + std::string(to_string(parser.refusal()));
    if (progress == Progress::need_more) {
      ++i;
      continue;
    }
    text += describe(parser, head);
    if (!parser.interim()) return text;
    from += parser.consumed();
    parser.next_head();
    head = http::ResponseHead(arena);
  }
  return text + "need_more";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = parse(input, {input.size()}, data[0]);
  const std::size_t middle = data[0] * input.size() / 255;
  DOORWARD_CHECK(parse(input, {middle, input.size()}, data[0]) == whole);
  std::vector<std::size_t> every;
  for (std::size_t i = 0; i <= input.size(); ++i) every.push_back(i);
  DOORWARD_CHECK(parse(input, every, data[0]) == whole);
  return 0;
}
