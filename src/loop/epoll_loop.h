// EpollLoop: the Loop over edge-triggered epoll, for systems that refuse io_uring.
#pragma once

#include "loop/loop.h"

namespace doorward::loop {

// `reason`: why epoll is taken, for choice_reason().
Result<std::unique_ptr<Loop>> create_epoll_loop(const LoopOptions& options, std::string reason);

}  // namespace doorward::loop
