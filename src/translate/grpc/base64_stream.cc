#include "translate/grpc/base64_stream.h"

#include <array>

namespace doorward::translate::grpc {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> kValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

char letter(std::uint32_t bits) { return kAlphabet[bits & 63U]; }

}  // namespace

char* Base64Decoder::decode(std::string_view text, char* to) {
  for (const char c : text) {
    if (c == '=') {
      if (count_ < 2) return nullptr;
      if (!padded_ && count_ == 3) *to++ = static_cast<char>(bits_ >> 10U);
      if (!padded_) *to++ = static_cast<char>(count_ == 3 ? bits_ >> 2U : bits_ >> 4U);
      padded_ = true;
    } else {
      const int value = kValues[static_cast<unsigned char>(c)];
      if (value < 0 || padded_) return nullptr;
      bits_ = bits_ << 6U | static_cast<std::uint32_t>(value);
    }
    if (++count_ < 4) continue;
    if (!padded_) {
      *to++ = static_cast<char>(bits_ >> 16U);
      *to++ = static_cast<char>(bits_ >> 8U);
      *to++ = static_cast<char>(bits_);
    }
    *this = {};
  }
  return to;
}

char* Base64Encoder::encode(std::string_view bytes, bool flush, char* to) {
  for (const char c : bytes) {
    bits_ = bits_ << 8U | static_cast<unsigned char>(c);
    if (++count_ < 3) continue;
    for (const unsigned shift : {18U, 12U, 6U, 0U}) *to++ = letter(bits_ >> shift);
    *this = {};
  }
  if (!flush || count_ == 0) return to;
  const std::uint32_t bits = bits_ << (count_ == 1 ? 16U : 8U);
  *to++ = letter(bits >> 18U);
  *to++ = letter(bits >> 12U);
  *to++ = count_ == 2 ? letter(bits >> 6U) : '=';
  *to++ = '=';
  *this = {};
  return to;
}

}  // namespace doorward::translate::grpc
