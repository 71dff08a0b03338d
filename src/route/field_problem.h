// A field of a match and what is wrong with it.
#pragma once

#include <string>

namespace doorward::route {

struct FieldProblem {
  std::string field;  // "header.x-a", "tls.client_name[1]"
  std::string text;   // "bad regular expression…"
};

}  // namespace doorward::route
