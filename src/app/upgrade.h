// Upgrade: a new binary takes over without a dropped connection (SIGUSR2). The old process starts
// the program at its own path with the same arguments; the new one inherits the listening sockets
// by number, and says on a pipe when it is ready; then the old one drains. When the new one ends
// before that, or takes too long, the old one goes on and sees to it that no other does.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"

namespace doorward::app {

class Upgrade {
 public:
  // Reads the program's path and arguments, and what a former process left in the environment.
  Upgrade(int argc, char** argv);

  // Of a former process: its listening sockets, as ListeningSockets::describe wrote them.
  const std::string& inherited() const { return inherited_; }
  // … and the admin token that it had made, so that who knows it need not learn another; or empty.
  const std::string& admin_token() const { return admin_token_; }
  // Tells the former process, if there is one, that this one serves. False when it lives and does
  // not wait for that any more; when it is gone, nobody else serves.
  bool say_ready();

  struct Successor {
    pid_t pid;
    int ready;  // the read end of its pipe: a byte means ready, end of file that it ended
  };
  // Starts the new process, which inherits `descriptors`.
  Result<Successor> start(const std::string& sockets, const std::vector<int>& descriptors,
                          const std::string& admin_token);
  // Ends one that did not become ready, if it has not ended itself; nothing is left of it.
  static void end(const Successor& successor);

 private:
  std::string program_;
  std::vector<std::string> arguments_;
  std::string inherited_;
  std::string admin_token_;
  int ready_fd_ = -1;
  pid_t former_ = 0;
};

}  // namespace doorward::app
