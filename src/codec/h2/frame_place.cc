#include "codec/h2/frame_place.h"

#include <cstring>
#include <fmt/format.h>

namespace doorward::codec::h2 {
namespace {

constexpr std::array<std::string_view, 10> kTypes = {
    "DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
    "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};

std::string name_of(const nghttp2_frame_hd& head) {
  const std::string type =
      head.type < kTypes.size() ? std::string(kTypes[head.type]) : fmt::format("0x{:x}", head.type);
  if (head.stream_id == 0) return fmt::format("a frame of type {}", type);
  return fmt::format("a frame of type {} on stream {}", type, head.stream_id);
}

// RFC 9113 §4.1.
nghttp2_frame_hd read_head(const char* at) {
  const auto byte = [at](int i) { return std::uint32_t{static_cast<unsigned char>(at[i])}; };
  nghttp2_frame_hd head{};
  head.length = byte(0) << 16 | byte(1) << 8 | byte(2);
  head.type = static_cast<std::uint8_t>(byte(3));
  head.flags = static_cast<std::uint8_t>(byte(4));
  const std::uint32_t stream = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
  head.stream_id = static_cast<std::int32_t>(stream & 0x7fff'ffff);
  return head;
}

}  // namespace

// True when it is whole.
bool FramePlace::take_head(std::string_view& bytes) {
  const char* at = bytes.data();
  if (head_size_ == 0 && bytes.size() >= kHead) {
    bytes.remove_prefix(kHead);
  } else {
    const std::size_t size = std::min(kHead - head_size_, bytes.size());
    std::memcpy(head_.data() + head_size_, at, size);
    bytes.remove_prefix(size);
    head_size_ += size;
    if (head_size_ < kHead) return false;
    head_size_ = 0;
    at = head_.data();
  }
  last_ = read_head(at);
  left_ = last_.length;
  return true;
}

bool FramePlace::block_open() const {
  const bool block = last_.type == NGHTTP2_HEADERS || last_.type == NGHTTP2_CONTINUATION;
  return block && (last_.flags & NGHTTP2_FLAG_END_HEADERS) == 0;
}

std::string FramePlace::text() const {
  if (in_preface_) return " within its preface";
  if (head_size_ > 0) {
    return fmt::format(" after {} of the {} bytes of a frame's head", head_size_, kHead);
  }
  if (left_ > 0) {
    return fmt::format(" within {}, after {} of its {} bytes", name_of(last_), last_.length - left_,
                       last_.length);
  }
  if (block_open()) return fmt::format(" within a header block on stream {}", last_.stream_id);
  return {};
}

}  // namespace doorward::codec::h2
