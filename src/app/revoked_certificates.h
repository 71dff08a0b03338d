// Which clients' certificates a reload has revoked: those that a listener's new revocation lists
// (client_certificates.crl) name and its old ones did not.
#pragma once

#include <string>
#include <vector>

#include "exchange/snapshot.h"

namespace doorward::app {

struct Revoked {
  std::string listener;                  // its name
  std::vector<std::string> credentials;  // as exchange::certificate_credential has them
};

// Of the listeners that there were before; without those of whom nothing is new.
std::vector<Revoked> revoked_certificates(const exchange::Snapshot& before,
                                          const exchange::Snapshot& now);

}  // namespace doorward::app
