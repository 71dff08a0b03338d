#include "tls/certificate_folder.h"

#include <algorithm>
#include <filesystem>

namespace doorward::tls {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 10'000;

Result<std::vector<fs::path>> chain_files(const std::string& path) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const fs::path& file = at->path();
    const std::string extension = file.extension();
    std::error_code ignored;
    const bool hidden = file.filename().native().starts_with('.');
    if (hidden || !at->is_regular_file(ignored)) continue;
    if (extension == ".pem" || extension == ".crt") files.push_back(file);
    if (files.size() > kFilesMax) return fail(ErrorKind::limit, path + ": has too many files");
  }
  if (error) return system_failure(error.value(), "read folder " + path);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<CertificateFolder> load_certificate_folder(const std::string& path) {
  auto files = chain_files(path);
  if (!files) return Failure(std::move(files.error()));
  CertificateFolder folder;
  for (const fs::path& file : *files) {
    fs::path key = file;
    key.replace_extension(".key");
    std::error_code ignored;
    const bool two_files = fs::exists(key, ignored);
    auto certificate = Certificate::load(file, two_files ? key.string() : std::string());
    if (certificate) {
      folder.certificates.push_back(std::move(*certificate));
    } else {
      folder.errors.push_back(std::move(certificate.error()));
    }
  }
  return folder;
}

}  // namespace doorward::tls
