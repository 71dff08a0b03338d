#include "codec/h2/websocket_key.h"

#include <bit>
#include <cstring>
#include <string>

namespace doorward::codec::h2 {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string_view base64(std::string_view bytes, Arena& arena) {
  const std::size_t size = (bytes.size() + 2) / 3 * 4;
  char* const to = arena.bytes(size);
  char* at = to;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      *at++ = k <= left ? kAlphabet[(word >> (18 - 6 * k)) & 63] : '=';
    }
  }
  return {to, size};
}

// FIPS 180-4 §6.1.2, one block.
void sha1_block(std::array<std::uint32_t, 5>& hash, const unsigned char* block) {
  std::array<std::uint32_t, 80> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = static_cast<std::uint32_t>(block[4 * i]) << 24 | block[4 * i + 1] << 16 |
           block[4 * i + 2] << 8 | block[4 * i + 3];
  }
  for (std::size_t i = 16; i < 80; ++i) {
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  auto [a, b, c, d, e] = hash;
  for (std::size_t i = 0; i < 80; ++i) {
    const std::uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                            : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                            : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                                     : (b ^ c ^ d) + 0xCA62C1D6;
    const std::uint32_t next = std::rotl(a, 5) + f + e + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  hash[0] += a;
  hash[1] += b;
  hash[2] += c;
  hash[3] += d;
  hash[4] += e;
}

std::array<char, 20> sha1(std::string message) {
  const std::uint64_t bits = message.size() * 8;
  message.push_back('\x80');
  while (message.size() % 64 != 56) message.push_back('\0');
  for (int shift = 56; shift >= 0; shift -= 8) message.push_back(static_cast<char>(bits >> shift));
  std::array<std::uint32_t, 5> hash = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  for (std::size_t at = 0; at < message.size(); at += 64) {
    sha1_block(hash, reinterpret_cast<const unsigned char*>(message.data()) + at);
  }
  std::array<char, 20> digest;
  for (std::size_t i = 0; i < 20; ++i) {
    digest[i] = static_cast<char>(hash[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace

std::string_view websocket_key(std::uint64_t random_a, std::uint64_t random_b, Arena& arena) {
  char bytes[16];
  std::memcpy(bytes, &random_a, 8);
  std::memcpy(bytes + 8, &random_b, 8);
  return base64({bytes, sizeof bytes}, arena);
}

std::string_view websocket_accept(std::string_view key, Arena& arena) {
  const std::array<char, 20> digest = sha1(std::string(key).append(kGuid));
  return base64({digest.data(), digest.size()}, arena);
}

}  // namespace doorward::codec::h2
