// FramePlace: follows the peer's frames by their heads alone, as the bytes come: which frame the
// last of them belongs to, so that something can be said of a connection that ends within one, and
// what the engine drops without a word. Owner: a Session.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <nghttp2/nghttp2.h>
#include <string>
#include <string_view>

namespace doorward::codec::h2 {

class FramePlace {
 public:
  // `preface`: bytes that come before the first frame.
  explicit FramePlace(std::size_t preface) : left_(preface), in_preface_(preface > 0) {}

  // Calls `on_head` with each head that is complete with these bytes.
  template <class OnHead>
  void received(std::string_view bytes, OnHead on_head) {
    for (;;) {
      const std::size_t skipped = std::min(left_, bytes.size());
      left_ -= skipped;
      bytes.remove_prefix(skipped);
      if (bytes.empty()) return;
      in_preface_ = false;
      if (take_head(bytes)) on_head(last_);
    }
  }

  // A frame, or a header block, has begun and not ended.
  bool within() const { return left_ > 0 || head_size_ > 0 || block_open(); }
  // " within a frame of type HEADERS on stream 1, after 3 of its 40 bytes"; empty between two.
  std::string text() const;

 private:
  static constexpr std::size_t kHead = 9;
  bool take_head(std::string_view& bytes);
  bool block_open() const;

  std::size_t left_;  // of the frame's payload
  bool in_preface_;
  std::size_t head_size_ = 0;  // of a head that is split: what has come
  std::array<char, kHead> head_{};
  nghttp2_frame_hd last_{0, 0, NGHTTP2_SETTINGS, 0, 0};
};

}  // namespace doorward::codec::h2
