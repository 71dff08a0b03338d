// What a connection of HTTP/2 is set to, on either side. Owner: a listener's or service's settings.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace doorward::codec::h2 {

struct SessionSettings {
  std::uint32_t max_concurrent_streams = 128;
  // Windows for what is received (RFC 9113 §6.9): a stream in flight at 100 ms and 20 Mbit/s.
  std::uint32_t stream_window = 256 * 1024;
  std::uint32_t connection_window = 1024 * 1024;
  // Bytes that are packed but not sent yet; streams wait beyond.
  std::uint32_t output_bytes = 256 * 1024;
};

}  // namespace doorward::codec::h2
