#include "route/path_pattern.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/arena.h"
#include "http/uri.h"
#include "route/request.h"
#include "text/ascii.h"
#include "text/glob.h"
#include "text/percent.h"

namespace doorward::route {
namespace {

using Problem = std::unexpected<std::string>;

bool is_param_name(std::string_view name) {
  if (name.empty() || text::is_digit(name[0])) return false;
  return std::ranges::all_of(
      name, [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '_' || c == '-'; });
}

// What people write as it is ("/café") in the form that requests have.
std::string encode_invisible(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (text::is_visible(c)) {
      out += c;
    } else {
      out += text::percent_encode({&c, 1});
    }
  }
  return out;
}

// A literal or glob in the normal form of the path rule.
std::expected<std::string, std::string> normal_segment(std::string_view text) {
  Arena arena;
  const std::string path = "/" + encode_invisible(text);
  auto normal = http::normalize_path(path, arena);
  const bool above = !normal && normal.error() == http::UriRefusal::path_above_root;
  if (!normal && !above) return Problem(std::string(http::sentence(normal.error())));
  if (above || *normal == "/") {
    return Problem(fmt::format("segment \"{}\" never matches: dot segments are resolved", text));
  }
  return std::string(normal->substr(1));
}

std::expected<Segment, std::string> parse_param(std::string_view text) {
  if (!text.starts_with('{') || !text.ends_with('}') || text.substr(1).contains('{')) {
    return Problem(fmt::format("a parameter is a whole segment, \"{}\" is more", text));
  }
  const std::string_view name = text.substr(1, text.size() - 2);
  if (name.empty()) return Problem("\"{}\" needs a name");
  if (!is_param_name(name)) {
    return Problem(fmt::format("\"{}\" is no parameter name: letters, digits, '_' and '-'", name));
  }
  return Segment{Segment::Kind::param, std::string(name)};
}

std::expected<Segment, std::string> parse_segment(std::string_view text) {
  if (text.contains("**")) return Problem("\"**\" must be the whole last segment");
  if (text.contains('{') || text.contains('}')) return parse_param(text);
  if (text.contains('?')) return Problem("a path has no '?': use the query match");
  if (text.contains('#')) return Problem("a path has no '#'");
  if (text.empty()) return Segment{};
  auto normal = normal_segment(text);
  if (!normal) return Problem(normal.error());
  return Segment{text::is_glob(*normal) ? Segment::Kind::glob : Segment::Kind::literal, *normal};
}

std::expected<void, std::string> add_param(PathPattern& to, std::string_view name, std::size_t at) {
  if (std::ranges::find(to.params, name) != to.params.end()) {
    return Problem(fmt::format("parameter \"{}\" is there twice", name));
  }
  if (to.params.size() == kMaxParams) {
    return Problem(fmt::format("more than {} parameters", kMaxParams));
  }
  to.params.emplace_back(name);
  to.param_at.push_back(static_cast<std::uint8_t>(at));
  return {};
}

std::expected<PathPattern, std::string> parse_regex(const PathMatch& path) {
  PathPattern out;
  out.kind = PathPattern::Kind::regex;
  out.text = path.text;
  out.kinds = "4";
  auto regex = compile_regex(path.text);
  if (!regex) return Problem(regex.error());
  out.regex = *regex;
  if (out.regex->NumberOfCapturingGroups() > kMaxGroups) {
    return Problem(fmt::format("more than {} groups", kMaxGroups));
  }
  for (const auto& [group, name] : out.regex->CapturingGroupNames()) {
    if (auto added = add_param(out, name, static_cast<std::size_t>(group)); !added) {
      return Problem(added.error());
    }
  }
  return out;
}

std::expected<void, std::string> add_segment(PathPattern& to, std::string_view text, bool last) {
  if (text == "**" && last) {
    to.rest = true;
    to.kinds += '3';
    return {};
  }
  if (text.empty() && !last) return Problem("\"//\" never matches: runs of slashes are merged");
  if (to.segments.size() == kMaxSegments) {
    return Problem(fmt::format("more than {} segments", kMaxSegments));
  }
  auto segment = parse_segment(text);
  if (!segment) return Problem(segment.error());
  if (segment->kind == Segment::Kind::param) {
    if (auto added = add_param(to, segment->text, to.segments.size()); !added) return added;
  }
  to.kinds += static_cast<char>('0' + static_cast<int>(segment->kind));
  to.segments.push_back(std::move(*segment));
  return {};
}

bool regex_matches(const re2::RE2& regex, std::string_view text) {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex);
}

}  // namespace

std::expected<std::shared_ptr<const re2::RE2>, std::string> compile_regex(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex =
      std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (regex->ok()) return regex;
  const std::string& part = regex->error_arg();
  const std::size_t at = part.empty() ? std::string_view::npos : text.find(part);
  std::string cause = regex->error();
  if (at != std::string_view::npos) cause += fmt::format(" at {}", at + 1);
  return Problem(fmt::format("bad regular expression \"{}\": {}", text, cause));
}

std::expected<PathPattern, std::string> parse_path(const PathMatch& path) {
  if (path.regex) return parse_regex(path);
  if (!path.text.starts_with('/')) return Problem("a path begins with \"/\"");
  PathPattern out;
  out.kind = PathPattern::Kind::segments;
  out.text = path.text;
  out.kinds.clear();
  const auto pieces = split_path(path.text);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (auto added = add_segment(out, pieces[i], i + 1 == pieces.size()); !added) {
      return Problem(added.error());
    }
  }
  return out;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> out;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return out;
}

bool segment_matches(const Segment& segment, std::string_view text) {
  switch (segment.kind) {
    case Segment::Kind::literal:
      return text == segment.text;
    case Segment::Kind::param:
      return !text.empty();
    case Segment::Kind::glob:
      return !text.empty() && text::glob_match(segment.text, text);
  }
  return false;
}

bool PathPattern::matches(std::string_view path) const {
  if (kind == Kind::any) return true;
  if (kind == Kind::regex) return regex_matches(*regex, path);
  if (!path.starts_with('/')) return false;
  const auto pieces = split_path(path);
  if (pieces.size() < segments.size() || (pieces.size() > segments.size() && !rest)) return false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segment_matches(segments[i], pieces[i])) return false;
  }
  return true;
}

}  // namespace doorward::route
