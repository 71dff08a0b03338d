// HeadScanner: the part of head parsing that requests and responses share. It walks the lines of
// a head as bytes arrive, remembers where it stopped, and puts header lines into a HeaderList.
// Owner: a parser. Subtle: all positions are offsets, since the bytes may move between calls; and
// each verdict depends on the bytes alone, never on how they were split. The caller gives at most
// `limits.head_bytes` bytes, and refuses when that many are not enough.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/h1/framing.h"
#include "codec/h1/refusal.h"
#include "http/header_list.h"

namespace doorward::codec::h1 {

class HeadScanner {
 public:
  // `start`: the offset at which the first line begins.
  void reset(std::uint32_t start = 0) { *this = HeadScanner(start); }
  explicit HeadScanner(std::uint32_t start = 0) : line_(start), at_(start) {}

  // The first line, without CRLF, once it is whole; moves past it. `longest` bounds its length,
  // `too_long` is what a longer one is refused with.
  Progress first_line(std::string_view bytes, std::uint32_t longest, Refusal too_long,
                      std::string_view& line);
  // All header lines and the empty line.
  Progress headers(std::string_view bytes, const ParseLimits& limits, http::HeaderList& out);

  std::uint32_t position() const { return line_; }  // where the current line begins
  Refusal refusal() const { return refusal_; }

 private:
  Progress refuse(Refusal why) {
    refusal_ = why;
    return Progress::refused;
  }
  void take_usual_lines(std::string_view bytes, const ParseLimits& limits, http::HeaderList& out);
  Progress line_start(std::string_view bytes);
  Progress header_name(std::string_view bytes, const ParseLimits& limits);
  Progress header_value(std::string_view bytes, const ParseLimits& limits, http::HeaderList& out);
  Progress bad_name(std::string_view bytes, std::uint32_t stop);
  Progress line_end(std::string_view bytes, std::uint32_t stop);

  std::uint32_t line_;       // where the current line begins
  std::uint32_t at_;         // scanned up to here
  std::uint32_t colon_ = 0;  // where the current line's colon stands; 0: not seen yet
  std::uint32_t count_ = 0;  // header lines so far
  Refusal refusal_ = Refusal::none;
};

// Moves a view that points into `size` bytes at `from` to the same place in the bytes at `to`.
inline void rebase(std::string_view& view, const char* from, std::size_t size, const char* to) {
  const auto offset =
      reinterpret_cast<std::uintptr_t>(view.data()) - reinterpret_cast<std::uintptr_t>(from);
  if (view.data() != nullptr && offset <= size) view = {to + offset, view.size()};
}

}  // namespace doorward::codec::h1
