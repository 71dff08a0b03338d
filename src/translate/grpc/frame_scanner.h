// FrameScanner: follows the messages of a gRPC body (a byte of flags, four of length, so many bytes
// of message) as its pieces come, and keeps none of them. It knows where a message ends, which is
// where gRPC-Web may put its trailers.
// Source: gRPC over HTTP2, "Length-Prefixed-Message".
#pragma once

#include <cstdint>
#include <string_view>

namespace doorward::translate::grpc {

class FrameScanner {
 public:
  // False from the first frame on that is no message: its flags say more than "compressed".
  bool scan(std::string_view bytes);

  // Between two messages, or before the first; never after scan() said no.
  bool between() const { return sound_ && left_ == 0 && prefix_size_ == 0; }
  std::uint64_t messages() const { return messages_; }

 private:
  static constexpr std::uint32_t kPrefixSize = 5;

  std::uint64_t messages_ = 0;     // complete ones
  std::uint32_t left_ = 0;         // bytes of the message that have not come
  std::uint32_t length_ = 0;       // as far as it was read
  std::uint32_t prefix_size_ = 0;  // bytes of the prefix that came
  bool sound_ = true;
};

}  // namespace doorward::translate::grpc
