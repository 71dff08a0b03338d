#include "exchange/live_credentials.h"

#include <fmt/format.h>

namespace doorward::exchange {

CredentialUse::~CredentialUse() {
  if (among_ != nullptr) among_->uses_.erase(place_);
}

void LiveCredentials::add(CredentialUse& use, std::string_view credential) {
  use.place_ = uses_.emplace(std::string(credential), &use);
  use.among_ = this;
}

void LiveCredentials::revoke(std::string_view credential) {
  for (auto at = uses_.find(credential); at != uses_.end(); at = uses_.find(credential)) {
    CredentialUse& use = *at->second;
    uses_.erase(at);
    use.among_ = nullptr;
    use.on_revoked();
  }
}

std::string certificate_credential(std::string_view listener, std::string_view certificate) {
  return fmt::format("certificate {} {}", listener, certificate);
}

}  // namespace doorward::exchange
