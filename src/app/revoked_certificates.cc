#include "app/revoked_certificates.h"

#include "exchange/live_credentials.h"

namespace doorward::app {
namespace {

// Null where no certificate of a client was asked for.
const tls::Trust* trust_of(const exchange::Snapshot& snapshot, const std::string& listener) {
  for (const exchange::ListenerEntry& entry : snapshot.listeners) {
    if (entry.config->key() != listener || entry.tls.empty()) continue;
    return entry.tls.front()->settings().client_trust.get();
  }
  return nullptr;
}

}  // namespace

std::vector<Revoked> revoked_certificates(const exchange::Snapshot& before,
                                          const exchange::Snapshot& now) {
  std::vector<Revoked> all;
  for (const exchange::ListenerEntry& entry : now.listeners) {
    const std::string key = entry.config->key();
    const tls::Trust* fresh = trust_of(now, key);
    const tls::Trust* old = trust_of(before, key);
    if (fresh == nullptr || old == nullptr) continue;
    Revoked revoked{entry.config->name, fresh->revoked_since(*old)};
    for (std::string& name : revoked.credentials) {
      name = exchange::certificate_credential(key, name);
    }
    if (!revoked.credentials.empty()) all.push_back(std::move(revoked));
  }
  return all;
}

}  // namespace doorward::app
