// What the head parsers share: limits, how the content is framed (RFC 9112 §6), progress.
#pragma once

#include <cstdint>

namespace doorward::codec::h1 {

enum class Progress : std::uint8_t { need_more, done, refused };

enum class Body : std::uint8_t { none, length, chunked, until_close };

struct Framing {
  Body kind = Body::none;
  std::uint64_t length = 0;  // with Body::length; never 0 there (a length of 0 is Body::none)
  bool operator==(const Framing&) const = default;
};

struct ParseLimits {
  std::uint32_t head_bytes = 64 * 1024;    // first line, headers and all line ends
  std::uint32_t header_count = 100;        // header lines
  std::uint32_t target_length = 8 * 1024;  // bytes of a request target
  std::uint32_t line_length = 16 * 1024;   // one header line without CRLF; also the status line
};

}  // namespace doorward::codec::h1
