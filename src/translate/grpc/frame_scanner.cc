#include "translate/grpc/frame_scanner.h"

#include <algorithm>

namespace doorward::translate::grpc {

bool FrameScanner::scan(std::string_view bytes) {
  constexpr unsigned kCompressed = 1;
  while (sound_ && !bytes.empty()) {
    if (left_ > 0) {
      const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(left_, bytes.size()));
      bytes.remove_prefix(size);
      left_ -= size;
      if (left_ == 0) ++messages_;
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (prefix_size_ == 0) {
      sound_ = byte <= kCompressed;
      length_ = 0;
    } else {
      length_ = length_ << 8U | byte;
    }
    if (++prefix_size_ < kPrefixSize) continue;
    prefix_size_ = 0;
    left_ = length_;
    if (left_ == 0) ++messages_;
  }
  return sound_;
}

}  // namespace doorward::translate::grpc
