// ClosedStreams: how the last streams of a connection ended, which the engine forgets. A peer that
// goes on with a stream that it ended, or uses a number that it had passed over, breaks RFC 9113
// §5.1 and §5.1.1; one that goes on with a stream that was reset here may not have heard of it yet.
// Owner: a Session. Holds no more than kKept numbers, of older ones it knows nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace doorward::codec::h2 {

class ClosedStreams {
 public:
  enum class Fate : std::uint8_t { unknown, never_opened, ended, reset_here };

  void add(std::int32_t stream, bool reset_here) { kept_[count_++ % kKept] = {stream, reset_here}; }

  // Of a stream that is not open, with a number that is not new.
  Fate fate(std::int32_t stream) const {
    std::int32_t oldest = INT32_MAX;
    for (std::size_t i = 0; i < count_ && i < kKept; ++i) {
      if (kept_[i].stream == stream) return kept_[i].reset_here ? Fate::reset_here : Fate::ended;
      if (kept_[i].stream < oldest) oldest = kept_[i].stream;
    }
    return count_ <= kKept || stream > oldest ? Fate::never_opened : Fate::unknown;
  }

 private:
  static constexpr std::size_t kKept = 32;
  struct Closed {
    std::int32_t stream;
    bool reset_here;
  };
  std::array<Closed, kKept> kept_{};
  std::size_t count_ = 0;
};

}  // namespace doorward::codec::h2
