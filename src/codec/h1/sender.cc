#include "codec/h1/sender.h"

namespace doorward::codec::h1 {
namespace {

// A body this small is copied behind the head: one plain send instead of a vector.
constexpr std::size_t kCopiedBody = 4096;

iovec part(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

char* append(char* at, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

std::string_view end_of_piece(bool any_bytes, bool last) {
  if (!any_bytes) return last ? kLastChunk : std::string_view();
  return last ? std::string_view("\r\n0\r\n\r\n") : kCrlf;
}

}  // namespace

template <class Head>
MessageStart Sender::start(const Head& head, const HeadOptions& options, bool bodiless,
                           std::string_view first, bool last, Arena& arena) {
  bodiless_ = bodiless;
  chunked_ = options.framing == WriteFraming::chunked && !bodiless;
  if (bodiless) first = {};
  const bool copied = first.size() <= kCopiedBody;
  const std::string_view tail = chunked_ ? end_of_piece(!first.empty(), last) : std::string_view();
  const std::size_t body_room = kChunkLineSize + tail.size() + (copied ? first.size() : 0);
  char* room = arena.bytes(head_size(head, options) + body_room);
  char* end = write_head(head, options, room);
  if (chunked_ && !first.empty()) {
    std::array<char, kChunkLineSize> line;
    end = append(end, chunk_line(first.size(), line));
  }
  if (copied) end = append(append(end, first), tail);
  return {{iovec{room, static_cast<std::size_t>(end - room)}, part(first), part(tail)},
          copied ? 1u : 3u};
}

template MessageStart Sender::start(const http::RequestHead&, const HeadOptions&, bool,
                                    std::string_view, bool, Arena&);
template MessageStart Sender::start(const http::ResponseHead&, const HeadOptions&, bool,
                                    std::string_view, bool, Arena&);

loop::Task<Result<void>> Sender::piece(std::string_view bytes, bool last,
                                       const http::HeaderList* trailers, Arena& arena,
                                       Deadline deadline) {
  if (bodiless_) bytes = {};
  if (!chunked_) {
    if (bytes.empty()) co_return Result<void>();
    const std::array parts{part(bytes)};
    co_return co_await bytes_.send(parts, deadline);
  }
  std::string_view tail = end_of_piece(!bytes.empty(), last);
  if (last && trailers != nullptr) {
    char* room = arena.bytes(last_chunk_size(*trailers) + kCrlf.size());
    char* end = write_last_chunk(*trailers, bytes.empty() ? room : append(room, kCrlf));
    tail = {room, static_cast<std::size_t>(end - room)};
  }
  std::array<char, kChunkLineSize> line;
  const std::array parts{part(bytes.empty() ? std::string_view() : chunk_line(bytes.size(), line)),
                         part(bytes), part(tail)};
  if (bytes.empty() && tail.empty()) co_return Result<void>();
  co_return co_await bytes_.send(parts, deadline);
}

}  // namespace doorward::codec::h1
