// Random: a fast generator per core (xoshiro256++, Blackman and Vigna), seeded from the kernel.
// For ids, balancing and jitter; never for keys or tokens (secret_hex does those).
#pragma once

#include <cstdint>
#include <string>

namespace doorward {

class Random {
 public:
  Random();  // seeded by getrandom(2)
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_[4];
};

// `bytes` bytes of the kernel's randomness as lower-case hex.
std::string secret_hex(std::size_t bytes);

}  // namespace doorward
