// MediaTypes: a set of media types from settings: "application/json", "text/*",
// "application/*+json".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::policy {

class MediaTypes {
 public:
  MediaTypes() = default;
  explicit MediaTypes(std::span<const std::string> types);

  // `content_type` is a Content-Type field's value; its parameters and case do not matter.
  bool contains(std::string_view content_type) const;

 private:
  std::vector<std::string> exact_;  // lower case
  std::vector<std::string> globs_;
};

// "type/subtype" with "*" in either; what a setting must be.
bool is_media_type_pattern(std::string_view text);

}  // namespace doorward::policy
