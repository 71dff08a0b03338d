// Request ids, written into the caller's buffer without a terminator: a UUID version 4
// (RFC 9562 section 5.4) or 128 random bits in lower-case hex. Unique, not secret.
#pragma once

#include <cstddef>

#include "base/random.h"

namespace doorward::observe {

inline constexpr std::size_t kUuidLength = 36;
inline constexpr std::size_t kHexIdLength = 32;

void write_uuid(Random& random, char* to);    // kUuidLength characters
void write_hex_id(Random& random, char* to);  // kHexIdLength characters

}  // namespace doorward::observe
