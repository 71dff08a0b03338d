#include "config/named_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tls/pem.h"

namespace doorward::config {
namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel follows

void add(std::vector<std::string>& files, const std::string& file) {
  if (!file.empty()) files.push_back(file);
}

void add(std::vector<std::string>& files, const exchange::TlsConfig& tls) {
  for (const exchange::CertificateConfig& certificate : tls.certificates) {
    add(files, certificate.certificate);
    add(files, certificate.key);
    add(files, certificate.ocsp);
    if (!certificate.folder.empty()) files.push_back(certificate.folder + "/");
  }
  if (!tls.client_certificates) return;
  add(files, tls.client_certificates->ca);
  add(files, tls.client_certificates->crl);
}

// A hash that grows. What it has kept of the files' bytes is wiped with it.
class Hash {
 public:
  Hash() { XXH3_64bits_reset(&state_); }
  ~Hash() { explicit_bzero(&state_, sizeof state_); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  void add(std::string_view bytes) { XXH3_64bits_update(&state_, bytes.data(), bytes.size()); }
  // Pieces that are told apart, wherever one ends.
  void add_sized(std::string_view bytes) {
    const std::uint64_t size = bytes.size();
    add({reinterpret_cast<const char*>(&size), sizeof size});
    add(bytes);
  }
  std::uint64_t value() const { return XXH3_64bits_digest(&state_); }

 private:
  XXH3_state_t state_;
};

// The errno of what went wrong; 0 when all of it was read.
int add_bytes(int fd, Hash& hash) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  char buffer[16 * 1024];
  std::size_t size = 0;
  int error = 0;
  while (size <= tls::kPemFileMax) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = errno;
    if (count <= 0) break;
    hash.add({buffer, static_cast<std::size_t>(count)});
    size += static_cast<std::size_t>(count);
  }
  explicit_bzero(buffer, sizeof buffer);
  hash.add({reinterpret_cast<const char*>(&size), sizeof size});
  return error;
}

void add_file(const std::string& file, Hash& hash) {
  hash.add_sized(file);
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const int error = fd < 0 ? errno : add_bytes(fd, hash);
  if (fd >= 0) close(fd);
  hash.add({reinterpret_cast<const char*>(&error), sizeof error});
}

void add_folder(const std::string& folder, Hash& hash) {
  hash.add_sized(folder);
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string extension = at->path().extension();
    const bool hidden = at->path().filename().native().starts_with('.');
    if (hidden || (extension != ".pem" && extension != ".crt" && extension != ".key")) continue;
    files.push_back(at->path());
  }
  std::ranges::sort(files);
  for (const std::string& file : files) add_file(file, hash);
}

// Walks down `path` as the kernel does, and notes each step in its folder. Gives the path without
// links.
fs::path note_way(const fs::path& path, WatchedFolders& folders) {
  const fs::path whole = fs::absolute(path);
  std::deque<fs::path> left(whole.begin(), whole.end());
  fs::path walked;
  int links = 0;
  while (!left.empty()) {
    const fs::path step = std::move(left.front());
    left.pop_front();
    if (step.is_absolute()) walked = step;
    if (step == "..") walked = walked.parent_path();
    if (step.is_absolute() || step == ".." || step == "." || step.empty()) continue;
    folders[walked].names.insert(step);
    std::error_code error;
    const fs::path target = fs::read_symlink(walked / step, error);
    if (error || ++links > kLinksMax) {
      walked /= step;
      continue;
    }
    folders[walked].needed = true;
    left.insert(left.begin(), target.begin(), target.end());
  }
  folders[walked.parent_path()].needed = true;
  return walked;
}

std::vector<std::string> sorted(std::vector<std::string> files) {
  std::ranges::sort(files);
  const auto doubled = std::ranges::unique(files);
  files.erase(doubled.begin(), doubled.end());
  return files;
}

}  // namespace

std::vector<std::string> named_files(const upstream::ServiceTls& tls) {
  std::vector<std::string> files;
  add(files, tls.ca);
  add(files, tls.certificate);
  add(files, tls.key);
  return sorted(std::move(files));
}

std::vector<std::string> named_files(const Model& model) {
  std::vector<std::string> files;
  for (const exchange::ListenerConfig& listener : model.listeners) {
    if (listener.tls) add(files, *listener.tls);
  }
  for (const auto& service : model.services) {
    for (std::string& file : named_files(service.value.tls)) files.push_back(std::move(file));
  }
  return sorted(std::move(files));
}

std::uint64_t hash_files(std::span<const std::string> files) {
  Hash hash;
  for (const std::string& file : files) {
    file.ends_with('/') ? add_folder(file, hash) : add_file(file, hash);
  }
  return hash.value();
}

WatchedFolders folders_to_watch(std::span<const std::string> files) {
  WatchedFolders folders;
  for (const std::string& file : files) {
    const fs::path end = note_way(file, folders);
    if (file.ends_with('/')) folders[end].all = folders[end].needed = true;
  }
  return folders;
}

}  // namespace doorward::config
