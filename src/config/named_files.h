// The files that a configuration names beside its own text: certificates, keys, CAs, revocation
// lists, OCSP responses. They are watched, and read anew when what is in them changes. Pure but for
// reading; nothing of a file stays in memory but a hash of it, since some hold keys.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace doorward::config {

// Sorted, each once. A folder of certificates ends in '/'.
std::vector<std::string> named_files(const Model& model);
std::vector<std::string> named_files(const upstream::ServiceTls& tls);

// Of all that is in them; a file that cannot be read counts as such.
std::uint64_t hash_files(std::span<const std::string> files);

// Of a folder: the names whose changes matter.
struct WatchedNames {
  bool all = false;
  // A file or a link lies in it, not only a folder on the way to one: without a watch, changes are
  // missed.
  bool needed = false;
  std::set<std::string, std::less<>> names;

  bool has(std::string_view name) const { return all || names.contains(name); }
  void add(const WatchedNames& more) {
    all = all || more.all;
    needed = needed || more.needed;
    names.insert(more.names.begin(), more.names.end());
  }
};
using WatchedFolders = std::map<std::string, WatchedNames>;

// Where a change of `files` shows: in the folder of each, and of each folder and symbolic link on
// the way to it. (Editors replace files, Kubernetes and certbot swap links, people rename folders.)
// Of a folder, which ends in '/': in it too, whatever the name.
WatchedFolders folders_to_watch(std::span<const std::string> files);

}  // namespace doorward::config
