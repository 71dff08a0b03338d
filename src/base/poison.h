// poison: tells AddressSanitizer which bytes of memory that we hand out ourselves (arenas, receive
// buffers) nobody may touch now, so that a view which outlives its owner is found as if the memory
// had been freed. Without that sanitizer these are nothing.
#pragma once

#include <cstddef>

#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif

namespace doorward {

inline void poison([[maybe_unused]] const void* at, [[maybe_unused]] std::size_t size) {
#if __has_feature(address_sanitizer)
  __asan_poison_memory_region(at, size);
#endif
}

inline void unpoison([[maybe_unused]] const void* at, [[maybe_unused]] std::size_t size) {
#if __has_feature(address_sanitizer)
  __asan_unpoison_memory_region(at, size);
#endif
}

}  // namespace doorward
