// What parse_yaml finds wrong with a text, beside what its tree shows. Of this layer only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "text/yaml.h"

namespace doorward::text {

// What yaml-cpp would take silently: bytes that are not UTF-8, and control characters (0x04 ends
// its input). And a text that is too long.
std::optional<YamlError> check_bytes(const std::shared_ptr<const SourceFile>& source,
                                     const YamlLimits& limits);

// yaml-cpp's `message` in words for who wrote the file, and the place where they can mend it: the
// bracket that is not closed (null: none), not the end of the file; the tab in the indentation, not
// what yaml-cpp stumbles over behind it.
YamlError grammar_error(Place place, const Place* open_bracket, const std::string& message);

}  // namespace doorward::text
