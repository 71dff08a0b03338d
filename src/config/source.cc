// Reads with plain system calls, so that each refusal has its errno.
#include "config/source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace doorward::config {
namespace {

using schema::Diagnostics;

constexpr std::size_t kLargest = text::YamlLimits{}.text_bytes;

void add_error(Diagnostics& diagnostics, const std::string& file, std::string message) {
  auto source = std::make_shared<text::SourceFile>(file, "");
  diagnostics.add({schema::Severity::error, {std::move(source), 0, 0}, {}, std::move(message), {}});
}

// errno as a sentence with the way out.
std::string reason(int error) {
  switch (error) {
    case ENOENT:
      return "there is no such file; name it with -c FILE or -c FOLDER";
    case EACCES:
      return fmt::format(
          "no permission to read it as user {}; change the owner or permissions of it or of a "
          "folder above it, or start Doorward as another user",
          ::geteuid());
    case EISDIR:
      return "is a folder, not a file; give it a name without .yaml";
    case ENOTDIR:
      return "a part of this path is a file, not a folder; correct the path";
    case ELOOP:
      return "its symbolic links lead in a circle; make one of them anew";
    default:
      return fmt::format("cannot be read: {}", std::strerror(error));
  }
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// The whole text; an errno otherwise (EFBIG when it is larger than any configuration).
std::expected<std::string, int> read_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return std::unexpected(errno);
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errno);
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
    if (content.size() > kLargest) return std::unexpected(EFBIG);
  }
}

bool is_yaml(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"));
}

// The folder's YAML files in the order of their names (bytes, so that 10- stands before 20-).
std::expected<std::vector<std::string>, int> yaml_files(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  if (!open) return std::unexpected(errno);
  std::vector<std::string> files;
  while (const dirent* entry = ::readdir(open.get())) {
    if (is_yaml(entry->d_name)) files.push_back(std::filesystem::path(folder) / entry->d_name);
  }
  std::ranges::sort(files);
  return files;
}

std::optional<text::Node> load_file(const std::string& path, Diagnostics& diagnostics) {
  std::expected<std::string, int> content = read_file(path);
  if (!content) {
    add_error(diagnostics, path, reason(content.error()));
    return std::nullopt;
  }
  auto root = text::parse_yaml(std::make_shared<text::SourceFile>(path, *std::move(content)));
  if (!root) {
    diagnostics.add(root.error());
    return std::nullopt;
  }
  return *std::move(root);
}

std::optional<text::Node> load_files(const std::vector<std::string>& files,
                                     Diagnostics& diagnostics) {
  std::vector<text::Node> roots;
  for (const std::string& file : files) {
    if (auto root = load_file(file, diagnostics)) roots.push_back(*std::move(root));
  }
  if (roots.size() != files.size()) return std::nullopt;
  if (roots.size() == 1) return std::move(roots.front());
  auto merged = text::merge_yaml(std::move(roots));
  if (merged) return *std::move(merged);
  diagnostics.add(merged.error());
  return std::nullopt;
}

}  // namespace

std::vector<std::string> source_files(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  if (!S_ISDIR(status.st_mode)) return {path.string()};
  return yaml_files(path).value_or(std::vector<std::string>());
}

std::optional<Source> load_source(const std::filesystem::path& path, Diagnostics& diagnostics) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    add_error(diagnostics, path, reason(errno));
    return std::nullopt;
  }
  Source source{{}, {path.string()}};
  if (S_ISDIR(status.st_mode)) {
    auto files = yaml_files(path);
    if (!files) {
      add_error(diagnostics, path, reason(files.error()));
      return std::nullopt;
    }
    if (files->empty()) {
      add_error(diagnostics, path, "this folder has no *.yaml or *.yml file");
      return std::nullopt;
    }
    source.files = *std::move(files);
  }
  auto root = load_files(source.files, diagnostics);
  if (!root) return std::nullopt;
  if (root->is_null()) {
    add_error(diagnostics, path, "is empty; the least is \"version: 1\" with listeners and routes");
    return std::nullopt;
  }
  source.root = *std::move(root);
  return source;
}

}  // namespace doorward::config
