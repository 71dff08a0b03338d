// What a WebSocket may carry, as the policy `websocket` says it. Owner: the policy.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace doorward::codec::websocket {

struct Rules {
  // The largest message, all its frames together, as they are on the wire: a compressed message is
  // measured compressed. 0: no limit.
  std::uint64_t message_bytes = 0;
  // From the client: messages, pings and empty fragments; a second's worth may come at once. 0: no
  // limit.
  std::uint32_t messages_per_second = 0;
  // A side that is silent for so long gets a ping; when it stays silent for as long again, 1001.
  // 0: none.
  Duration idle_timeout{0};
};

}  // namespace doorward::codec::websocket
