// Comparing what somebody shows with a secret.
#pragma once

#include <string_view>

namespace doorward::text {

// How long it takes depends on the sizes only. `secret` is not empty.
inline bool equal_in_constant_time(std::string_view shown, std::string_view secret) {
  unsigned different = shown.size() != secret.size();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const volatile unsigned bits = static_cast<unsigned char>(shown[i]) ^
                                   static_cast<unsigned char>(secret[i % secret.size()]);
    different |= bits;
  }
  return different == 0;
}

}  // namespace doorward::text
