// ClosedStreams: how the last streams of a connection ended, which the engine forgets. A peer that
// goes on with a stream that it ended, or uses a number that it had passed over, breaks RFC 9113
// §5.1 and §5.1.1; one that goes on with a stream that was reset here may not have heard of it yet.
// Owner: a Session. Holds no more than kKept numbers. Streams do not end in the order of their
// numbers, so of those up to the highest that it has forgotten it knows nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace doorward::codec::h2 {

class ClosedStreams {
 public:
  enum class Fate : std::uint8_t { unknown, never_opened, ended, reset_here };

  void add(std::int32_t stream, bool reset_here) {
    Closed& place = kept_[count_++ % kKept];
    forgotten_ = std::max(forgotten_, place.stream);
    place = {stream, reset_here};
  }

  // Of a stream that is not open, with a number that is not new.
  Fate fate(std::int32_t stream) const {
    for (const Closed& closed : kept_) {
      if (closed.stream == stream) return closed.reset_here ? Fate::reset_here : Fate::ended;
    }
    return stream > forgotten_ ? Fate::never_opened : Fate::unknown;
  }

 private:
  static constexpr std::size_t kKept = 32;
  struct Closed {
    std::int32_t stream = 0;
    bool reset_here = false;
  };
  std::array<Closed, kKept> kept_{};
  std::size_t count_ = 0;
  std::int32_t forgotten_ = 0;  // the highest of them
};

}  // namespace doorward::codec::h2
