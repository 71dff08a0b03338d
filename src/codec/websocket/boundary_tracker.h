// BoundaryTracker: knows where frames end in bytes that pass unchecked, so that something may be
// said between two of them. It looks at heads only, and no closer than it must: extensions may use
// reserved bits. When the bytes turn out to be no WebSocket it gives up.
// Owner: whoever passes the bytes on.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "codec/websocket/frame.h"

namespace doorward::codec::websocket {

class BoundaryTracker {
 public:
  explicit BoundaryTracker(Sender sender) : sender_(sender) {}

  // False: these were no frames; boundaries are not known any more.
  bool tracks() const { return tracks_; }
  bool at_boundary() const { return tracks_ && left_ == 0 && head_size_ == 0; }
  // A close frame has passed, whole; what follows it is not looked at.
  bool closed() const { return closed_ && at_boundary(); }
  // Its code; 1005: it has none (RFC 6455 §7.4.1).
  unsigned close_code() const { return code_size_ == 2 ? code_ : kNoCode; }

  void pass(std::string_view bytes) {
    while (!bytes.empty()) pass_frame(bytes);
  }
  // Takes bytes off `rest` up to the end of the frame that is under way, or of the next one; all
  // of them when that end is not there, or not known.
  std::string_view pass_frame(std::string_view& rest);

 private:
  static constexpr unsigned kNoCode = 1005;

  void note_code(std::string_view payload);
  bool pass_head(std::string_view& rest);
  void begin(const FrameHead& head);

  const Sender sender_;
  bool tracks_ = true;
  bool closed_ = false;
  Mask mask_{};                // of the close frame
  unsigned code_ = 0;          // its first bytes
  unsigned code_size_ = 0;     // that have come
  std::uint64_t left_ = 0;     // of the payload
  std::size_t head_size_ = 0;  // of a head that is split: what has come
  std::array<char, kHeadMost> head_;
};

}  // namespace doorward::codec::websocket
