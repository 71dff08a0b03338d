#include "config/access_log_place.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace doorward::config {
namespace {

namespace fs = std::filesystem;

std::string refused(const fs::path& path) {
  const int error = errno;
  if (error != EACCES) {
    return fmt::format("cannot write to {}: {}; name another path", path.string(),
                       std::strerror(error));
  }
  return fmt::format(
      "user {} may not write to {}; change its owner or permissions, or name another path",
      geteuid(), path.string());
}

bool is_writable(const fs::path& path, int how) {
  return faccessat(AT_FDCWD, path.c_str(), how, AT_EACCESS) == 0;
}

}  // namespace

std::string access_log_problem(const observe::AccessLogConfig& config) {
  if (config.path == "stdout" || config.path == "stderr") return {};
  const fs::path path(config.path);
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return fmt::format("cannot write to {0}: it is a folder; name a file in it, such as {1}",
                       config.path, (path / "access.log").lexically_normal().string());
  }
  if (fs::exists(path, ignored)) return is_writable(path, W_OK) ? std::string() : refused(path);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!fs::is_directory(folder, ignored)) {
    return fmt::format("cannot write to {}: there is no folder {}; make it, or name another path",
                       config.path, folder.string());
  }
  return is_writable(folder, W_OK | X_OK) ? std::string() : refused(folder);
}

}  // namespace doorward::config
