// PathPattern: one declared path, parsed. Its `kinds` string orders patterns by how specific they
// are: compared as text, the lesser one takes precedence. Part of a Snapshot, immutable.
#pragma once

#include <expected>
#include <memory>
#include <re2/re2.h>
#include <string>
#include <string_view>
#include <vector>

#include "route/match.h"

namespace doorward::route {

struct Segment {
  enum class Kind : std::uint8_t { literal, param, glob };
  Kind kind = Kind::literal;
  std::string text;  // the literal in its normal form, the parameter's name, or the glob
};

struct PathPattern {
  enum class Kind : std::uint8_t { segments, regex, any };

  Kind kind = Kind::any;
  std::string text;               // as it was written; empty for `any`
  std::vector<Segment> segments;  // "/" is one empty literal, "/a/" are "a" and an empty one
  bool rest = false;              // ends in "/**"
  std::string kinds = "5";        // a digit each: 0 literal, 1 param, 2 glob, 3 **, 4 regex, 5 any
  std::shared_ptr<const re2::RE2> regex;
  std::vector<std::string> params;     // names of parameters, or of the regex's named groups
  std::vector<std::uint8_t> param_at;  // which segment, or which group of the regex

  // Does it match this normal path? The plain way, segment by segment: explain and tests use it,
  // the table has a tree.
  bool matches(std::string_view path) const;
};

// The error is a clause for people: "\"**\" must be the last segment".
std::expected<PathPattern, std::string> parse_path(const PathMatch& path);

// Compiles with errors as a clause with RE2's message and the place: "missing ): (a at 3".
std::expected<std::shared_ptr<const re2::RE2>, std::string> compile_regex(std::string_view text);

// The segments of a path that begins with '/': "/a/" -> "a", "".
std::vector<std::string_view> split_path(std::string_view path);
// Does one segment of a path fit?
bool segment_matches(const Segment& segment, std::string_view text);

}  // namespace doorward::route
