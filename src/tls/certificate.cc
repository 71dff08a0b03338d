#include "tls/certificate.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/pem.h"
#include "tls/x509_text.h"

namespace doorward::tls {
namespace {

KeyKind kind_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return KeyKind::rsa;
    case EVP_PKEY_EC:
      return KeyKind::ecdsa;
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
      return KeyKind::eddsa;
    default:
      return KeyKind::other;
  }
}

std::string signature_of(X509* certificate) {
  int digest = NID_undef;
  if (X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1) return {};
  return digest == NID_undef ? std::string() : OBJ_nid2sn(digest);
}

void read_names(X509* certificate, CertificateFacts& facts) {
  for (const std::string& name : alternative_names(certificate)) {
    if (name.starts_with("DNS:")) facts.names.push_back(lower_case(name.substr(4)));
    if (name.starts_with("IP:")) facts.addresses.push_back(name.substr(3));
  }
  if (!facts.names.empty() || !facts.addresses.empty()) return;
  if (std::string name = lower_case(common_name(certificate)); !name.empty()) {
    facts.names.push_back(std::move(name));
  }
}

Failure not_its_key(const PemFile& key, const PemFile& chain,
                    const std::vector<Owned<X509>>& certificates, EVP_PKEY* parsed) {
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    const bool belongs = EVP_PKEY_eq(X509_get0_pubkey(certificates[i].get()), parsed) == 1;
    ERR_clear_error();
    if (!belongs) continue;
    return fail(ErrorKind::invalid,
                fmt::format("{}: the key belongs to certificate {} of {}, but a chain begins with "
                            "the server's own certificate",
                            key.name, i + 1, chain.name));
  }
  return fail(
      ErrorKind::invalid,
      fmt::format("{}: the key does not belong to the certificate in {}", key.name, chain.name));
}

}  // namespace

std::string_view to_string(KeyKind kind) {
  switch (kind) {
    case KeyKind::rsa:
      return "RSA";
    case KeyKind::ecdsa:
      return "ECDSA";
    case KeyKind::eddsa:
      return "EdDSA";
    case KeyKind::other:
      break;
  }
  return "other";
}

PemFile::~PemFile() { OPENSSL_cleanse(text.data(), text.size()); }

// Into one piece of memory, so that no half of a key is left behind where it grew.
Result<PemFile> read_pem_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return system_failure(errno, "read " + path);
  struct stat status{};
  int error = fstat(fd, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error == 0 && !S_ISREG(status.st_mode)) error = EINVAL;
  if (error == 0 && static_cast<std::size_t>(status.st_size) > kPemFileMax) error = EFBIG;
  PemFile file{path, std::string(error == 0 ? static_cast<std::size_t>(status.st_size) : 0, '\0')};
  std::size_t size = 0;
  while (error == 0 && size < file.text.size()) {
    const ssize_t count = read(fd, file.text.data() + size, file.text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = errno;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  close(fd);
  if (error != 0) return system_failure(error, "read " + path);
  file.text.resize(size);
  return file;
}

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  read_names(certificate, facts);
  facts.subject = name_text(X509_get_subject_name(certificate));
  facts.issuer = name_text(X509_get_issuer_name(certificate));
  facts.fingerprint = fingerprint_of(certificate);
  facts.not_before = time_of(X509_get0_notBefore(certificate));
  facts.not_after = time_of(X509_get0_notAfter(certificate));
  if (const EVP_PKEY* key = X509_get0_pubkey(certificate); key != nullptr) {
    facts.key = kind_of(key);
    facts.key_bits = EVP_PKEY_get_bits(key);
  }
  facts.signature = signature_of(certificate);
  facts.is_self_signed = X509_self_signed(certificate, 0) == 1;
  ERR_clear_error();
  return facts;
}

Result<CertificatePtr> Certificate::parse(const PemFile& chain, const PemFile& key) {
  auto certificates = parse_certificates(chain.name, chain.text, kChainMax);
  if (!certificates) return Failure(std::move(certificates.error()));
  auto parsed = parse_key(key.name, key.text);
  if (!parsed) return Failure(std::move(parsed.error()));
  const bool own = EVP_PKEY_eq(X509_get0_pubkey(certificates->front().get()), parsed->get()) == 1;
  ERR_clear_error();
  if (!own) return not_its_key(key, chain, *certificates, parsed->get());

  std::shared_ptr<Certificate> made(new Certificate);
  made->file_ = chain.name;
  made->facts_ = facts_of(certificates->front().get());
  made->leaf_ = std::move(certificates->front());
  made->chain_.reset(sk_X509_new_null());
  for (std::size_t i = 1; i < certificates->size(); ++i) {
    sk_X509_push(made->chain_.get(), (*certificates)[i].release());
  }
  made->key_ = std::move(*parsed);
  return made;
}

Result<CertificatePtr> Certificate::load(const std::string& chain_path,
                                         const std::string& key_path) {
  auto chain = read_pem_file(chain_path);
  if (!chain) return Failure(std::move(chain.error()));
  if (key_path.empty() || key_path == chain_path) return parse(*chain, *chain);
  auto key = read_pem_file(key_path);
  if (!key) return Failure(std::move(key.error()));
  return parse(*chain, *key);
}

X509* Certificate::issuer() const {
  for (int i = 0; i < sk_X509_num(chain_.get()); ++i) {
    X509* candidate = sk_X509_value(chain_.get(), i);
    if (X509_check_issued(candidate, leaf_.get()) == X509_V_OK) return candidate;
  }
  return nullptr;
}

}  // namespace doorward::tls
