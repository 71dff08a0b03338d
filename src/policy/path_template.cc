// Splitting a template into path and query, and rendering it without injection.
#include "policy/path_template.h"

#include "text/percent.h"

namespace doorward::policy {
namespace {

using http::Variable;

// Values that came in a target: encoded already.
bool is_encoded(Variable variable) {
  return variable == Variable::request_path || variable == Variable::request_query ||
         variable == Variable::request_target || variable == Variable::route_param;
}

bool is_plain(std::string_view value) {
  for (const char c : value) {
    if (!text::is_unreserved(c)) return false;
  }
  return true;
}

std::string_view encode(std::string_view value, Arena& arena) {
  return is_plain(value) ? value : arena.copy(text::percent_encode(value));
}

// A slash would be a segment's border, and dots alone would step up.
bool fits_segment(std::string_view value) {
  if (value.find_first_of("/\\") != std::string_view::npos) return false;
  if (value.contains('\0')) return false;
  return value.empty() || value.find_first_not_of('.') != std::string_view::npos;
}

}  // namespace

std::string PathTemplate::error_of(const http::Template& text) {
  const auto& pieces = text.pieces();
  if (pieces.empty()) return "must not be empty";
  const bool slash = pieces[0].literal ? pieces[0].text.starts_with('/')
                                       : pieces[0].variable == Variable::request_path;
  if (!slash) return "must begin with \"/\" or {request.path}";
  for (const auto& piece : pieces) {
    if (piece.literal && piece.text.contains('?')) break;
    if (piece.question_mark)
      return "must not have {?request.query}: the query goes along by itself";
    if (piece.literal && piece.text.contains('#')) return "must not have a \"#\"";
    if (!piece.literal && piece.variable == Variable::request_target) {
      return "must not have {request.target}: use {request.path}, the query goes along by itself";
    }
  }
  return {};
}

PathTemplate::PathTemplate(const http::Template& text) {
  for (const auto& piece : text.pieces()) {
    const std::size_t mark =
        piece.literal && !has_query_ ? piece.text.find('?') : std::string::npos;
    if (mark == std::string::npos) {
      (has_query_ ? query_ : path_).push_back(piece);
      continue;
    }
    has_query_ = true;
    path_.push_back({true, {}, piece.text.substr(0, mark)});
    query_.push_back({true, {}, piece.text.substr(mark + 1)});
  }
}

std::optional<std::string_view> PathTemplate::render(const Pieces& pieces, bool in_path,
                                                     http::TemplateSource& source, Arena& arena) {
  std::string_view made;
  for (const auto& piece : pieces) {
    std::string_view value = piece.text;
    if (!piece.literal) {
      value = source.lookup(piece.variable, piece.text);
      if (!is_encoded(piece.variable)) {
        if (in_path && !fits_segment(value)) return std::nullopt;
        value = encode(value, arena);
      }
    }
    made = made.empty() ? value : arena.join(made, value);
  }
  return made;
}

std::optional<PathTemplate::Made> PathTemplate::render(http::TemplateSource& source,
                                                       Arena& arena) const {
  const auto path = render(path_, true, source, arena);
  if (!path) return std::nullopt;
  if (!has_query_) return Made{*path, std::nullopt};
  return Made{*path, render(query_, false, source, arena)};
}

}  // namespace doorward::policy
