// prefetch: asks the processor for the cache lines that an object lies in, so that they come while
// something else is done. Changes nothing and fails on no address, be it an object's or not.
#pragma once

#include <cstddef>
#include <cstdint>

namespace doorward {

template <class T>
void prefetch(const T* object) {
  constexpr std::size_t kLine = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(object);
  for (std::size_t at = 0; at < sizeof(T); at += kLine) {
    __builtin_prefetch(reinterpret_cast<const void*>(first + at));
  }
}

}  // namespace doorward
