// FileWatch: hears of changes in folders (inotify), and tells those of watched names from the rest,
// so that a configuration may lie in a busy folder.
// Owner: the Gateway. One thread only.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "config/named_files.h"

namespace doorward::app {

class FileWatch {
 public:
  FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch();

  // Readable when something happened; -1 when watching failed from the start.
  int fd() const { return fd_; }
  // In place of what was watched before; a folder that stays misses nothing. One that is not there
  // is no failure: those above it are watched. Of several failures the first is told; the other
  // folders are watched all the same.
  Result<void> watch(const config::WatchedFolders& folders);
  // Takes what has happened. Whether any of it may be a change of what is watched.
  bool take_changes();

 private:
  const int fd_;
  const int start_error_;
  std::map<int, config::WatchedNames> names_;  // by watch descriptor
};

}  // namespace doorward::app
