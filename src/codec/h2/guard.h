// Guard: what a peer may make a connection do for nothing. Each kind of frame that costs work but
// carries no message has a budget that fills again with time and with useful frames; a peer that
// overdraws one is told to calm down (RFC 9113 §10.5) and the connection ends.
//
// nghttp2 has guards of its own, which stand behind these: its RST_STREAM budget (1000 and 33 a
// second), at most kContinuationsMost CONTINUATION frames a block, kAcksMost acknowledgements that
// the peer does not fetch, 32 entries a SETTINGS frame, 64 KiB a field.
// Owner: a Session. One clock read a turn (the loop's), two additions a frame.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace doorward::codec::h2 {

// identifier (= code in logs and metrics), burst, refill a second, refill a useful frame (tenths)
#define DOORWARD_H2_ABUSES(X)                                                              \
  X(rapid_reset, 200, 20, 0)      /* streams reset by the peer, or by its mistakes */      \
  X(settings_flood, 50, 2, 0)     /* SETTINGS that are no acknowledgement */               \
  X(ping_flood, 200, 50, 20)      /* PINGs that want an answer; gRPC measures with them */ \
  X(priority_flood, 200, 50, 50)  /* PRIORITY, PRIORITY_UPDATE */                          \
  X(window_flood, 2000, 200, 100) /* WINDOW_UPDATE */                                      \
  X(empty_flood, 200, 20, 5)      /* DATA without bytes or end, blocks without a field */  \
  X(unknown_flood, 200, 20, 0)    /* frames of unknown types, GOAWAY */                    \
  X(continuation_flood, 0, 0, 0)  /* a header block in too many frames */                  \
  X(hpack_bomb, 0, 0, 0)          /* header lists far beyond their limit */                \
  X(ack_flood, 0, 0, 0)           /* answers pile up that the peer does not fetch */       \
  X(too_many_streams, 200, 20, 0) /* beyond SETTINGS_MAX_CONCURRENT_STREAMS */             \
  X(closed_flood, 0, 0, 0)        /* more for streams that are over than was on its way */

enum class Abuse : std::uint8_t {
  none,
#define DOORWARD_H2_ABUSE_ENUM(id, burst, rate, useful) id,
  DOORWARD_H2_ABUSES(DOORWARD_H2_ABUSE_ENUM)
#undef DOORWARD_H2_ABUSE_ENUM
      count_
};

std::string_view to_string(Abuse abuse);  // "rapid_reset"; "none"

inline constexpr std::size_t kContinuationsMost = 16;
inline constexpr std::size_t kAcksMost = 256;
inline constexpr std::size_t kFrameHead = 9;  // bytes (RFC 9113 §4.1)

class Guard {
 public:
  // `connection_window`: bytes of content that a peer may have on their way, `stream_window`: of
  // one stream; before it has heard of them, RFC 9113's own.
  Guard(std::uint32_t stream_window, std::uint32_t connection_window) : Guard() {
    stream_room_ = kWithHeads * std::max<std::int64_t>(stream_window, kFirstWindow);
    late_most_ = late_room_ = kWithHeads * std::max<std::int64_t>(connection_window, kFirstWindow);
  }

  // The peer did it once more; true when that was once too often.
  bool overdrawn(Abuse kind, TimePoint now);
  // A frame that carries a message went either way.
  void useful() { ++useful_; }
  // A stream came to its end on both sides: a client may change its mind about every other one.
  void completed();
  // A stream is over. Of one that the peer had not ended a window may be on its way.
  void stream_over(bool peer_ended) {
    late_room_ = std::min(late_room_ + (peer_ended ? kAfterword : stream_room_), late_most_);
  }
  // So many bytes of frames came for streams that are over; true when that is more than can have
  // been on its way. Flow control does not hold DATA of theirs back: it is dropped, so that the
  // connection's window opens again at once.
  bool too_late(std::uint64_t bytes) {
    late_room_ -= static_cast<std::int64_t>(bytes);
    return late_room_ < 0;
  }

 private:
  static constexpr std::int64_t kAfterword = 64;        // RST_STREAM behind the end
  static constexpr std::int64_t kFirstWindow = 65'535;  // RFC 9113 §6.9.2
  // Windows count content alone, too_late() the heads of frames as well: at nine bytes of content a
  // frame they are as much again.
  static constexpr std::int64_t kWithHeads = 2;
  Guard();
  struct Budget {
    std::int64_t tenths = 0;        // of a frame
    std::uint64_t useful_seen = 0;  // of useful_, when it was last filled
    TimePoint filled{};
  };

  std::int64_t stream_room_ = 0;
  std::int64_t late_most_ = 0;
  std::int64_t late_room_ = 0;  // bytes
  std::uint64_t useful_ = 0;
  std::array<Budget, static_cast<std::size_t>(Abuse::count_)> budgets_;
};

}  // namespace doorward::codec::h2
