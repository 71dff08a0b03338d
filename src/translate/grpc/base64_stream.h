// Base64 (RFC 4648 §4) as grpc-web-text carries it, piece by piece: a sender may end a padded
// segment whenever it flushes, and the next one begins behind it. Source: gRPC-Web, "HTTP wire
// protocols". Both keep at most three bytes between pieces and allocate nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace doorward::translate::grpc {

class Base64Decoder {
 public:
  // How many bytes decode() may write for so much text.
  static constexpr std::size_t most(std::size_t size) { return size / 4 * 3 + 3; }

  // Writes what `text` completes to `to`; returns its end, or null when the text is not base64,
  // after which the decoder is of no use.
  char* decode(std::string_view text, char* to);

  // Nothing is begun: the text may end here.
  bool at_end() const { return count_ == 0; }

 private:
  std::uint32_t bits_ = 0;
  std::uint8_t count_ = 0;  // characters of the group of four, '=' included
  bool padded_ = false;     // the group has ended, but for a second '='
};

class Base64Encoder {
 public:
  // How many characters encode() may write for so many bytes.
  static constexpr std::size_t most(std::size_t size) { return (size + 4) / 3 * 4; }

  // Writes to `to`; returns the end. `flush` ends the segment, so that all of it can be decoded;
  // without it up to two bytes stay here.
  char* encode(std::string_view bytes, bool flush, char* to);

 private:
  std::uint32_t bits_ = 0;
  std::uint8_t count_ = 0;  // bytes of the group of three
};

}  // namespace doorward::translate::grpc
