// UringAcceptor: a multishot accept. The handle that the owner holds and the operation that the
// kernel completes are two objects, so that the handle may go while completions are pending.
#pragma once

#include "loop/acceptor.h"
#include "loop/uring_loop.h"

namespace doorward::loop {

class UringAcceptor final : public Acceptor {
 public:
  UringAcceptor(UringLoop& loop, int listening_fd, OnAccept on_accept);
  ~UringAcceptor() override;

  void stop() override;
  Task<void> drain() override;

 private:
  class Operation;
  Operation* operation_;  // deletes itself after its last completion
};

}  // namespace doorward::loop
