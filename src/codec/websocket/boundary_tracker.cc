#include "codec/websocket/boundary_tracker.h"

#include <algorithm>

namespace doorward::codec::websocket {

void BoundaryTracker::begin(const FrameHead& head) {
  const bool plausible = head.is_known() && head.is_sized() && (head.fin || !head.is_control()) &&
                         head.masked == (sender_ == Sender::client);
  tracks_ = plausible;
  closed_ = head.opcode == Opcode::close;
  left_ = head.length;
  if (closed_) mask_ = head.mask;
}

void BoundaryTracker::note_code(std::string_view payload) {
  for (const char c : payload.substr(0, 2 - code_size_)) {
    code_ = code_ << 8 | (static_cast<unsigned char>(c) ^ mask_[code_size_++]);
  }
}

// True when the head is whole.
bool BoundaryTracker::pass_head(std::string_view& rest) {
  FrameHead head;
  if (head_size_ == 0 && read_head(rest, head)) {
    rest.remove_prefix(head.size);
    begin(head);
    return true;
  }
  while (!rest.empty()) {
    head_[head_size_++] = rest.front();
    rest.remove_prefix(1);
    if (!read_head({head_.data(), head_size_}, head)) continue;
    head_size_ = 0;
    begin(head);
    return true;
  }
  return false;
}

std::string_view BoundaryTracker::pass_frame(std::string_view& rest) {
  const char* const first = rest.data();
  if (tracks_ && !closed() && (left_ > 0 || pass_head(rest)) && tracks_) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
    if (closed_) [[unlikely]]
      note_code(rest.substr(0, size));
    left_ -= size;
    rest.remove_prefix(size);
  }
  if (!tracks_ || closed()) rest.remove_prefix(rest.size());
  return {first, rest.data()};
}

}  // namespace doorward::codec::websocket
