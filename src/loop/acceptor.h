// Acceptor: takes connections from a listening descriptor until it is stopped. Made by
// Loop::accept; its owner may destroy it at any time, also inside its own callback.
//
// Out of descriptors (EMFILE, ENFILE) it tells so at most once a second, pauses for 100 ms and
// goes on by itself.
#pragma once

#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "loop/address.h"
#include "loop/loop.h"
#include "loop/task.h"

namespace doorward::loop {

class Acceptor {
 public:
  virtual ~Acceptor() = default;

  // Accepts no more; on_accept is not called afterwards. A connection that the kernel has handed
  // over already but that was not told yet is closed: use drain() where that must not happen.
  virtual void stop() = 0;

  // Accepts no more, but still tells what the kernel had handed over and what waits in its queue:
  // who closes the descriptor right afterwards loses no connection. on_accept is not called after
  // this ends; the Acceptor must live until then.
  virtual Task<void> drain() = 0;

 protected:
  // The most that drain() takes from the queue, so that a flood does not keep it; listen() lets no
  // more than half of it wait by default (net.core.somaxconn).
  static constexpr int kQueueMax = 8192;
};

// When and how often a failing accept is told and tried again.
class AcceptFailures {
 public:
  static constexpr Duration kPause{100};

  // True when this failure is to be told (the first in a second).
  bool is_to_be_told(TimePoint now) {
    if (now < next_) return false;
    next_ = now + Duration(1000);
    return true;
  }

 private:
  TimePoint next_{};
};

inline Address peer_of(int fd) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return {};
  return Address::from_raw(reinterpret_cast<const sockaddr*>(&raw), size);
}

}  // namespace doorward::loop
