#include "base/shortage.h"

#include <cerrno>
#include <sys/resource.h>

namespace doorward {

bool is_shortage(const Error& error) {
  return error.kind == ErrorKind::system && (error.code == EMFILE || error.code == ENFILE ||
                                             error.code == ENOMEM || error.code == ENOBUFS);
}

std::string shortage_hint(int errno_value) {
  switch (errno_value) {
    case EMFILE: {
      rlimit limit{};
      getrlimit(RLIMIT_NOFILE, &limit);
      return "all " + std::to_string(limit.rlim_cur) +
             " file descriptors that this process may have are in use; raise the limit (ulimit -n, "
             "LimitNOFILE), or lower limits.connections of the listeners";
    }
    case ENFILE:
      return "the machine has no file descriptor left; raise its limit (sysctl fs.file-max), or "
             "stop what holds many";
    case ENOMEM:
    case ENOBUFS:
      return "the kernel has no memory left for a socket; free some, or raise the limit that "
             "Doorward runs under (MemoryMax)";
    default:
      return "Doorward tries again by itself";
  }
}

}  // namespace doorward
