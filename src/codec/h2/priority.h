// The Priority field's value (RFC 9218 §4): urgency 0 to 7 and whether pieces are of use before
// all is there. A pure function; what is malformed or unknown is ignored, as §4 has it.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field.h"

namespace doorward::codec::h2 {

struct Priority {
  std::uint32_t urgency = 3;
  bool incremental = false;
};

inline Priority parse_priority(std::string_view value) {
  Priority priority;
  for (std::string_view element : http::ListElements(value)) {
    const std::string_view item = http::trim(element.substr(0, element.find(';')));
    if (item.size() == 3 && item.starts_with("u=") && item[2] >= '0' && item[2] <= '7') {
      priority.urgency = static_cast<std::uint32_t>(item[2] - '0');
    }
    if (item == "i" || item == "i=?1") priority.incremental = true;
    if (item == "i=?0") priority.incremental = false;
  }
  return priority;
}

}  // namespace doorward::codec::h2
