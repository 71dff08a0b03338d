// Origins: a list of origins that pages may come from (RFC 6454), exact or with "*". Owner: the
// policy.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace doorward::policy {

class Origins {
 public:
  // Each as origin_error() takes it.
  explicit Origins(std::span<const std::string> patterns);

  bool empty() const { return patterns_.empty(); }
  // `arena`: for a moment.
  bool contains(std::string_view origin, Arena& arena) const;

 private:
  std::vector<std::string> patterns_;  // in lower case, without a default port
};

// Empty, or why it is no pattern for origins: "must be …".
std::string origin_error(std::string_view pattern);

}  // namespace doorward::policy
