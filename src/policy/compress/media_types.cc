// Comparing media types without allocation.
#include "policy/compress/media_types.h"

#include <algorithm>

#include "http/field.h"
#include "text/ascii.h"
#include "text/glob.h"

namespace doorward::policy {
namespace {

constexpr std::size_t kLongestType = 128;  // RFC 6838 §4.2 allows 127 a part; none comes near

}  // namespace

MediaTypes::MediaTypes(std::span<const std::string> types) {
  for (const std::string& type : types) {
    (text::is_glob(type) ? globs_ : exact_).push_back(text::lower_copy(type));
  }
}

bool MediaTypes::contains(std::string_view content_type) const {
  const std::string_view type = http::trim(content_type.substr(0, content_type.find(';')));
  if (type.empty() || type.size() > kLongestType) return false;
  char lower[kLongestType];
  std::ranges::transform(type, lower, text::lower);
  const std::string_view wanted(lower, type.size());
  return std::ranges::find(exact_, wanted) != exact_.end() ||
         std::ranges::any_of(
             globs_, [&](const std::string& glob) { return text::glob_match(glob, wanted); });
}

bool is_media_type_pattern(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && http::is_token(text.substr(0, slash)) &&
         http::is_token(text.substr(slash + 1));
}

}  // namespace doorward::policy
