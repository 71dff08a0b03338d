#include "tls/certificate_set.h"

#include <algorithm>

#include "tls/x509_text.h"

namespace doorward::tls {

CertificateSet::CertificateSet(std::vector<ServedCertificate> certificates, bool strict)
    : certificates_(std::move(certificates)) {
  for (const ServedCertificate& served : certificates_) {
    const CertificateFacts& facts = served.certificate->facts();
    for (const std::string& name : facts.names) put(by_name_[name], served);
    for (const std::string& address : facts.addresses) put(by_name_[address], served);
  }
  if (strict || certificates_.empty()) return;
  const std::vector<std::string>& names = certificates_.front().certificate->facts().names;
  if (names.empty()) put(first_, certificates_.front());
  default_ = names.empty() ? &first_ : &by_name_.find(names.front())->second;
}

void CertificateSet::put(Group& group, const ServedCertificate& served) {
  const KeyKind kind = served.certificate->facts().key;
  const auto same = std::find_if(group.begin(), group.end(), [&](const ServedCertificate* other) {
    return other->certificate->facts().key == kind;
  });
  if (same != group.end()) {
    *same = &served;
  } else {
    group.push_back(&served);
  }
}

const CertificateSet::Group* CertificateSet::find(std::string_view name) const {
  const Group* own = find_own(name);
  return own == nullptr ? default_ : own;
}

const CertificateSet::Group* CertificateSet::find_own(std::string_view name) const {
  if (name.empty() || name.size() > 255) return nullptr;
  const std::string lower = lower_case(name);
  if (const auto exact = by_name_.find(lower); exact != by_name_.end()) return &exact->second;
  const std::size_t dot = lower.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto wildcard = by_name_.find("*" + lower.substr(dot));
  return wildcard != by_name_.end() ? &wildcard->second : nullptr;
}

bool CertificateSet::covers(const Group& group, std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string_view domain = host.substr(std::min(host.find('.'), host.size()));
  const auto fits = [&](const std::string& name) {
    const bool wildcard = name.starts_with("*.") && !domain.empty();
    return name == host || (wildcard && std::string_view(name).substr(1) == domain);
  };
  return std::ranges::any_of(group, [&](const ServedCertificate* served) {
    const CertificateFacts& facts = served->certificate->facts();
    return std::ranges::any_of(facts.names, fits) ||
           std::ranges::find(facts.addresses, host) != facts.addresses.end();
  });
}

}  // namespace doorward::tls
