// Secrets in query strings: which parameters they are in, and the writing of a query without
// them. Names are compared without case, after percent-decoding, and also inside brackets
// (`user[password]=`); both `&` and `;` begin a parameter, but a secret ends at `&` only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::observe {

class QueryMask {
 public:
  explicit QueryMask(std::span<const std::string> names);

  // Writes `query` as the inside of a JSON string, secrets replaced by `***`. Room for 6 bytes a
  // byte of it; returns the end.
  char* write(char* to, std::string_view query) const;

 private:
  bool hides(std::string_view name) const;
  bool is_listed(std::string_view name) const;

  std::vector<std::string> names_;  // lower case
  std::size_t longest_ = 0;
};

}  // namespace doorward::observe
