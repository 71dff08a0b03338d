// What a WebSocket may carry, as the policy `websocket` says it. Owner: the policy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"

namespace doorward::codec::websocket {

struct Rules {
  std::uint64_t message_bytes = 0;     // largest message, all its frames together; 0: no limit
  std::uint32_t messages_per_second = 0;  // from the client; 0: no limit
  Duration idle_timeout{0};            // then a ping; without an answer in as long again, 1001
  bool allow_compression = true;       // permessage-deflate may be negotiated (RFC 7692)
};

}  // namespace doorward::codec::websocket
