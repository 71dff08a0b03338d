// Upgrade: a new binary takes over without a dropped connection (SIGUSR2). The old process starts
// the program at its own path with the same arguments; the new one inherits the listening sockets
// by number, and says on a pipe when it is ready; then the old one drains. When the new one ends
// before that, the old one goes on.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace doorward::app {

class Upgrade {
 public:
  // Reads the program's path and arguments, and what a former process left in the environment.
  Upgrade(int argc, char** argv);

  // Of a former process: its listening sockets, as ListeningSockets::describe wrote them.
  const std::string& inherited() const { return inherited_; }
  // Tells the former process, if there is one, that this one serves.
  void say_ready();

  // Starts the new process, which inherits `descriptors`. Gives the read end of its pipe: a byte
  // means ready, end of file that it ended.
  Result<int> start(const std::string& sockets, const std::vector<int>& descriptors);

 private:
  std::string program_;
  std::vector<std::string> arguments_;
  std::string inherited_;
  int ready_fd_ = -1;
};

}  // namespace doorward::app
