// Sizes and durations as values with a unit, so that no bare number means bytes or milliseconds.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace doorward {

struct Bytes {
  std::uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) { return {n}; }
constexpr Bytes operator""_KiB(unsigned long long n) { return {n << 10}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return {n << 20}; }
constexpr Bytes operator""_GiB(unsigned long long n) { return {n << 30}; }
}  // namespace literals

using Duration = std::chrono::milliseconds;

// So many in a time: "100/min".
struct Rate {
  std::uint64_t count = 0;
  Duration per = std::chrono::seconds(1);
  bool operator==(const Rate&) const = default;
};

// Bytes in a second: "100B/s".
struct ByteRate {
  std::uint64_t bytes_per_second = 0;
  auto operator<=>(const ByteRate&) const = default;
};

}  // namespace doorward
