// A folder of certificates: NAME.pem (or .crt) beside NAME.key, or NAME.pem with both inside.
#pragma once

#include <string>
#include <vector>

#include "tls/certificate.h"

namespace doorward::tls {

struct CertificateFolder {
  std::vector<CertificatePtr> certificates;  // in order of their files' names
  std::vector<Error> errors;                 // one for each file that cannot be used
  std::vector<std::string> without_key;      // files passed over: a CA's, or the key is yet to come
};

// Fails only when the folder itself cannot be read. Hidden files are passed over, so that a
// Kubernetes volume's "..data" is not read twice.
Result<CertificateFolder> load_certificate_folder(const std::string& path);

}  // namespace doorward::tls
