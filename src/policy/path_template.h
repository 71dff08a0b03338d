// PathTemplate: a template that makes a path, and a query when it has a "?". Values that are paths
// already ({request.path}, {route.param.…}) go in as they are; all others are percent-encoded, so
// that no header's value can add segments, a query or "..".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/template.h"

namespace doorward::policy {

class PathTemplate {
 public:
  // Empty when `text` can be one, else what is wrong.
  static std::string error_of(const http::Template& text);
  explicit PathTemplate(const http::Template& text);

  struct Made {
    std::string_view path;
    std::optional<std::string_view> query;  // only when the template has one
  };
  // Nothing when a value cannot stand in a path.
  std::optional<Made> render(http::TemplateSource& source, Arena& arena) const;

 private:
  using Pieces = std::vector<http::Template::Piece>;
  static std::optional<std::string_view> render(const Pieces& pieces, bool in_path,
                                                http::TemplateSource& source, Arena& arena);
  Pieces path_;
  Pieces query_;
  bool has_query_ = false;
};

}  // namespace doorward::policy
