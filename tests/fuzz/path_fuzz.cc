// The target splitter, path rule and host rule on any bytes. A normal path stays as it is, and has
// none of the shapes that could mean another path to a backend.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/uri.h"
#include "text/ascii.h"

namespace {

using namespace doorward;

bool has_shape(std::string_view path, std::string_view shape) {
  for (std::size_t i = 0; i + shape.size() <= path.size(); ++i) {
    if (text::equal_ignore_case(path.substr(i, shape.size()), shape)) return true;
  }
  return false;
}

void check_path(std::string_view raw) {
  Arena arena;
  const auto path = http::normalize_path(raw, arena);
  if (!path) return;
  DOORWARD_CHECK(path->starts_with('/') && path->size() <= raw.size());
  for (std::string_view shape : {"//", "/../", "/./", "%2f", "%5c", "%00", "%2e", "\\", "#"}) {
    DOORWARD_CHECK(!has_shape(*path, shape));
  }
  DOORWARD_CHECK(!path->ends_with("/..") && !path->ends_with("/."));
  for (char c : *path) DOORWARD_CHECK(text::is_visible(c));
  const auto again = http::normalize_path(*path, arena);
  DOORWARD_CHECK(again.has_value() && again->data() == path->data() && *again == *path);
}

void check_host(std::string_view raw) {
  Arena arena;
  const auto host = http::normalize_host(raw, arena);
  if (!host) return;
  DOORWARD_CHECK(!host->host.empty() && !host->host.ends_with('.'));
  for (char c : host->host) DOORWARD_CHECK(text::is_visible(c) && !text::is_upper(c));
  const auto again = http::normalize_host(host->host, arena);
  DOORWARD_CHECK(again.has_value() && again->host == host->host && again->port == 0);
}

// The pieces, joined, are the target again.
void check_target(std::string_view raw) {
  const auto target = http::split_target(raw);
  if (!target) return;
  std::string joined;
  if (target->form == http::TargetForm::absolute) {
    joined.append(target->scheme).append("://").append(target->authority);
  }
  if (!target->path_was_empty) joined.append(target->path);
  if (target->has_query) joined.append("?").append(target->query);
  DOORWARD_CHECK(joined == raw);
  check_path(target->path);
  check_host(target->authority);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size, so that a read beyond it is seen.
  const std::string input(reinterpret_cast<const char*>(data), size);
  check_target(input);
  check_path(input);
  check_host(input);
  return 0;
}
