// The chunk decoder on any bytes: whole, in pieces of a size that the first byte chooses, and byte
// by byte must give the same content, trailers, rest and verdict. Any bytes, framed as chunks,
// come out again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "codec/h1/chunk_decoder.h"
#include "codec/h1/writer.h"

namespace {

using namespace doorward;
using namespace doorward::codec::h1;

constexpr ChunkLimits kLimits{.extension_bytes = 64, .trailer_bytes = 600, .trailer_count = 8};

std::string decode(std::string_view bytes, std::size_t piece) {
  Arena arena;
  ChunkDecoder decoder(arena, kLimits);
  std::string content;
  ChunkStep step = ChunkStep::need_more;
  while (step == ChunkStep::need_more && !bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    const auto room = std::make_unique<char[]>(size);
    bytes.copy(room.get(), size);
    bytes.remove_prefix(size);
    std::string_view part(room.get(), size);
    std::string_view data;
    while ((step = decoder.next(part, data)) == ChunkStep::data) content += data;
    DOORWARD_CHECK(step != ChunkStep::need_more || part.empty());
    if (step != ChunkStep::done) continue;
    content.append("|").append(part).append(bytes);
  }
  content.append("|").append(to_string(decoder.refusal()));
  if (step != ChunkStep::done) return content + (step == ChunkStep::need_more ? "more" : "");
  for (const http::Header& trailer : decoder.trailers()) {
    content.append("|").append(trailer.name).append("=").append(trailer.value);
    content.append(trailer.line());
  }
  return content + std::to_string(decoder.trailers_dropped());
}

void check_round_trip(std::string_view bytes, std::size_t piece) {
  std::string framed;
  for (std::string_view rest = bytes; !rest.empty();) {
    char room[kChunkLineSize];
    const std::string_view part = rest.substr(0, piece);
    framed.append(chunk_line(part.size(), room)).append(part).append(kCrlf);
    rest.remove_prefix(part.size());
  }
  framed += kLastChunk;
  DOORWARD_CHECK(decode(framed, framed.size()) == std::string(bytes) + "||none0");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 31 + 1U;
  const std::string whole = decode(input, input.size() + 1);
  DOORWARD_CHECK(decode(input, 1) == whole);
  DOORWARD_CHECK(decode(input, piece) == whole);
  check_round_trip(input, piece);
  return 0;
}
