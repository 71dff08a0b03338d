// Glob: "*" stands for any run of bytes, also none; everything else for itself. Used within one
// path segment and for header names ("x-*"). Linear space, at most |pattern| * |text| steps.
#pragma once

#include <string_view>

namespace doorward::text {

constexpr bool is_glob(std::string_view pattern) { return pattern.contains('*'); }

bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace doorward::text
