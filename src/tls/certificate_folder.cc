#include "tls/certificate_folder.h"

#include <algorithm>
#include <filesystem>

#include "tls/pem.h"

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

void load_one(const fs::path& file, CertificateFolder& folder) {
  auto chain = read_pem_file(file);
  if (!chain) return folder.errors.push_back(std::move(chain.error()));
  fs::path key_path = file;
  key_path.replace_extension(".key");
  std::error_code ignored;
  const bool two_files = fs::exists(key_path, ignored);
  if (!two_files && !has_key(chain->text)) return folder.without_key.push_back(file);
  auto key = two_files ? read_pem_file(key_path) : chain;
  if (!key) return folder.errors.push_back(std::move(key.error()));
  auto certificate = Certificate::parse(*chain, *key);
  if (!certificate) return folder.errors.push_back(std::move(certificate.error()));
  folder.certificates.push_back(std::move(*certificate));
}

}  // namespace

Result<CertificateFolder> load_certificate_folder(const std::string& path) {
  auto files = chain_files(path);
  if (!files) return Failure(std::move(files.error()));
  CertificateFolder folder;
  for (const fs::path& file : *files) load_one(file, folder);
  return folder;
}

}  // namespace doorward::tls
