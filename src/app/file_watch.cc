#include "app/file_watch.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace doorward::app {
namespace {

// A file that was not to be read may become so (IN_ATTRIB).
constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;

std::string way_out(int error) {
  switch (error) {
    case EMFILE:
      return "; raise the sysctl fs.inotify.max_user_instances, or the limit of open files "
             "(ulimit -n)";
    case ENOSPC:
      return "; raise the sysctl fs.inotify.max_user_watches";
    default:
      return "";
  }
}

Failure cannot_watch(std::string_view what, int error) {
  Error failure{.code = error};
  failure.cause = fmt::format("{} cannot be watched for changes: {}{}", what, std::strerror(error),
                              way_out(error));
  return Failure(std::move(failure));
}

}  // namespace

FileWatch::FileWatch()
    : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), start_error_(fd_ < 0 ? errno : 0) {}

FileWatch::~FileWatch() {
  if (fd_ >= 0) close(fd_);
}

Result<void> FileWatch::watch(const config::WatchedFolders& folders) {
  if (fd_ < 0) return cannot_watch("the configuration", start_error_);
  std::map<int, config::WatchedNames> fresh;
  Result<void> all;
  for (const auto& [folder, names] : folders) {
    const int watch = inotify_add_watch(fd_, folder.c_str(), kChanges);
    if (watch >= 0) {
      fresh[watch].add(names);  // two paths may lead to one folder
    } else if (names.needed && errno != ENOENT && errno != ENOTDIR && all) {
      all = cannot_watch(folder, errno);
    }
  }
  for (const auto& [watch, names] : names_) {
    if (!fresh.contains(watch)) inotify_rm_watch(fd_, watch);
  }
  names_ = std::move(fresh);
  return all;
}

bool FileWatch::take_changes() {
  bool any = false;
  alignas(inotify_event) char events[4096];
  ssize_t size = 0;
  while ((size = read(fd_, events, sizeof events)) > 0) {
    for (ssize_t at = 0; at < size;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(events + at);
      at += static_cast<ssize_t>(sizeof event + event.len);
      const auto known = names_.find(event.wd);
      // Without a name it is of the folder itself, or events were lost (IN_Q_OVERFLOW).
      any = any || event.len == 0 || (known != names_.end() && known->second.has(event.name));
    }
  }
  return any;
}

}  // namespace doorward::app
