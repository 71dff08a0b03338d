// Whether the access log's file could be opened, asked without touching it: `check` warns of it,
// and `run` tells by it that the machine and not the configuration is at fault.
#pragma once

#include <string>

#include "observe/access_log_config.h"

namespace doorward::config {

// Empty when nothing speaks against it; else a sentence that names the path and the way out.
std::string access_log_problem(const observe::AccessLogConfig& config);

}  // namespace doorward::config
