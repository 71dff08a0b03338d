// EpollAcceptor: accepts a bounded number of connections per turn, so that a flood of them does
// not starve those that are being served.
#pragma once

#include "loop/acceptor.h"
#include "loop/epoll_loop.h"

namespace doorward::loop {

class EpollAcceptor final : public Acceptor {
 public:
  EpollAcceptor(EpollLoop& loop, int listening_fd, OnAccept on_accept);
  ~EpollAcceptor() override;

  void stop() override;
  Task<void> drain() override;

 private:
  class Operation;
  Operation* operation_;  // freed at the end of the turn in which this goes
  EpollLoop& loop_;
};

}  // namespace doorward::loop
