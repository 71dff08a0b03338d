#include "base/random.h"

#include <bit>
#include <sys/random.h>

#include "base/check.h"

namespace doorward {
namespace {

void fill_from_kernel(void* to, std::size_t size) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    DOORWARD_CHECK(got > 0);
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace

Random::Random() { fill_from_kernel(state_, sizeof state_); }

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {  // splitmix64, as xoshiro's authors advise
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

std::string secret_hex(std::size_t bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string raw(bytes, '\0');
  fill_from_kernel(raw.data(), raw.size());
  std::string text;
  text.reserve(bytes * 2);
  for (const char c : raw) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace doorward
