#include "loop/send_parts.h"

#include <algorithm>

namespace doorward::loop {

void SendParts::assign(std::span<const iovec> parts) {
  parts_.clear();
  first_ = 0;
  bytes_ = 0;
  for (const iovec& part : parts) {
    if (part.iov_len == 0) continue;
    parts_.push_back(part);
    bytes_ += part.iov_len;
  }
}

void SendParts::consume(std::size_t count) {
  bytes_ -= count;
  while (count > 0) {
    iovec& part = parts_[first_];
    const std::size_t gone = std::min(count, part.iov_len);
    part.iov_base = static_cast<char*>(part.iov_base) + gone;
    part.iov_len -= gone;
    count -= gone;
    if (part.iov_len == 0) ++first_;
  }
}

msghdr& SendParts::message() {
  message_.msg_iov = parts_.data() + first_;
  message_.msg_iovlen = std::min<std::size_t>(count(), kPartsMax);
  return message_;
}

}  // namespace doorward::loop
