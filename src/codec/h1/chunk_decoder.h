// ChunkDecoder: takes the chunked transfer coding off a body (RFC 9112 §7.1), zero-copy and
// strict: hexadecimal digits only, CRLF only, extensions skipped within a limit. Bytes need not be
// contiguous over calls. Trailers are parsed like headers into `trailers()`; their text is copied
// into the arena. Owner: a stream whose body is chunked; `arena` is the exchange's.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/h1/framing.h"
#include "codec/h1/head_scanner.h"
#include "codec/h1/refusal.h"
#include "http/header_list.h"

namespace doorward::codec::h1 {

struct ChunkLimits {
  std::uint32_t extension_bytes = 4 * 1024;  // over the whole body
  std::uint32_t trailer_bytes = 8 * 1024;    // all trailer lines with their line ends
  std::uint32_t trailer_count = 32;
};

enum class ChunkStep : std::uint8_t { data, need_more, done, refused };

class ChunkDecoder {
 public:
  explicit ChunkDecoder(Arena& arena, const ChunkLimits& limits = {})
      : arena_(&arena), limits_(limits), trailers_(arena) {}

  // Takes from the front of `bytes`. `data`: the next span of content, a part of `bytes`, never
  // empty. `need_more`: all of `bytes` is taken. `done`: what is left in `bytes` belongs to the
  // next message. After `done` and `refused` it is not called again.
  ChunkStep next(std::string_view& bytes, std::string_view& data);

  // Bytes of the current chunk that are still to come; a hint for reading.
  std::uint64_t chunk_left() const { return left_; }
  Refusal refusal() const { return refusal_; }

  // After `done`. Fields about framing, the connection or routing (Content-Length,
  // Transfer-Encoding, Host, Connection, Trailer, Expect, …) are refused (forbidden_trailer); other
  // known fields that only make sense in a head (Authorization, Cookie, Content-Type,
  // X-Forwarded-*, Cache-Control, …) are dropped and counted (RFC 9110 §6.5.1).
  http::HeaderList& trailers() { return trailers_; }
  std::uint32_t trailers_dropped() const { return dropped_; }

 private:
  enum class State : std::uint8_t {
    size_first,  // the first digit
    size,        // further digits
    extension,   // to the line's end
    size_lf,     // the size line's LF
    data,
    data_cr,
    data_lf,
    trailer,  // the trailer section, at or behind the last chunk
    finished,
  };

  bool refuse(Refusal why) {
    refusal_ = why;
    return false;
  }
  // Each takes what it can of `bytes`, which is not empty; false: refused.
  bool frame(std::string_view& bytes);
  bool size_digit(char c);
  bool extension(std::string_view& bytes);
  bool expect(std::string_view& bytes, char c, State next);
  std::string_view take_data(std::string_view& bytes);
  ChunkStep trailer_section(std::string_view& bytes);
  std::uint32_t keep_trailer_bytes(std::string_view bytes);
  bool filter_trailers();

  Arena* arena_;
  ChunkLimits limits_;
  State state_ = State::size_first;
  Refusal refusal_ = Refusal::none;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t dropped_ = 0;
  char* trailer_text_ = nullptr;
  std::uint32_t trailer_size_ = 0;
  std::uint32_t trailer_room_ = 0;
  HeadScanner trailer_scanner_;
  http::HeaderList trailers_;
};

}  // namespace doorward::codec::h1
