#include "loop/epoll_loop.h"

namespace doorward::loop {

Result<std::unique_ptr<Loop>> create_epoll_loop(const LoopOptions&, std::string) {
  return fail(ErrorKind::system, "the epoll loop is not built yet");
}

}  // namespace doorward::loop
