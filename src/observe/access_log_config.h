// AccessLogConfig: the section `access_log` of the configuration.
#pragma once

#include <string>
#include <vector>

#include "base/units.h"

namespace doorward::observe {

struct AccessLogConfig {
  std::string path = "stdout";      // stdout | stderr | a file
  std::vector<std::string> fields;  // empty: all
  std::vector<std::string> mask_query = {"token",    "access_token", "api_key", "apikey",   "key",
                                         "password", "secret",       "code",    "signature"};
  Bytes buffer{1 << 20};  // memory per core for lines that are not written yet

  bool operator==(const AccessLogConfig&) const = default;
};

}  // namespace doorward::observe
