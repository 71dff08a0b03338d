// rewrite: the settings with their checks, and the three ways to change a path.
#include "policy/rewrite/rewrite.h"

#include <fmt/format.h>

#include "http/uri.h"
#include "schema/schema.h"
#include "text/ascii.h"

namespace doorward::policy {
namespace {

using schema::field;

constexpr int kMostGroups = 9;

std::string prefix_error(const std::string& prefix) {
  Arena arena;
  const auto normal = http::normalize_path(prefix, arena);
  if (!normal || prefix.contains('?')) return "must be a path such as /v1";
  if (*normal == "/") return "must be more than \"/\"";
  if (*normal != prefix) return fmt::format("must be written as {}", *normal);
  return {};
}

std::string optional_prefix_error(const std::optional<std::string>& prefix) {
  return prefix ? prefix_error(*prefix) : std::string();
}

void check_regex(const RewriteRegex& config, schema::Diagnostics& diagnostics) {
  const re2::RE2 regex(config.match, re2::RE2::Quiet);
  if (!regex.ok()) {
    return diagnostics.error_at("match", fmt::format("is no regular expression: {} in \"{}\"",
                                                     regex.error(), config.match));
  }
  std::string error;
  if (!regex.CheckRewriteString(config.to, &error)) {
    return diagnostics.error_at("to", fmt::format("cannot be made: {}", error));
  }
  if (config.to.find_first_of("#?") != std::string::npos) {
    diagnostics.error_at("to", "must be a path, without \"?\" and \"#\"");
  }
}

void check_rewrite(const RewriteConfig& config, schema::Diagnostics& diagnostics) {
  const auto prefix = [&](std::string_view key, const std::optional<std::string>& value) {
    std::string error = optional_prefix_error(value);
    if (!error.empty()) diagnostics.error_at(key, std::move(error));
  };
  prefix("strip_prefix", config.strip_prefix);
  prefix("add_prefix", config.add_prefix);
  const bool prefixes = config.strip_prefix || config.add_prefix;
  if (config.path) {
    std::string error = PathTemplate::error_of(*config.path);
    if (!error.empty()) diagnostics.error_at("path", std::move(error));
  }
  if (prefixes + config.path.has_value() + config.regex.has_value() != 1) {
    diagnostics.error(
        "must have one way to rewrite: \"strip_prefix\" and \"add_prefix\", or \"path\", or "
        "\"regex\"");
  }
}

constexpr auto kRegexSchema = schema::schema<RewriteRegex>(
    "regex", "A regular expression and its replacement.",
    field("match", &RewriteRegex::match,
          "An RE2 expression, looked for in the path. What it matches is replaced; when it matches "
          "nothing, the path stays.",
          schema::required()),
    field("to", &RewriteRegex::to,
          "The replacement; `\\1` to `\\9` are the expression's groups, `\\0` all that matched.",
          schema::required()),
    schema::check(&check_regex));

constexpr auto kSchema = schema::schema<RewriteConfig>(
    "rewrite",
    "Changes the path that the backend gets. The query stays as it came, unless `path` has one. "
    "Routes are matched, and the access log written, with the path that the client asked for. A "
    "result that is no valid path is refused (400 `rewrite_invalid`).",
    field("strip_prefix", &RewriteConfig::strip_prefix,
          "Taken off the path's beginning when whole segments match: `/v1` makes `/v1/a` into `/a` "
          "and leaves `/v1x` alone."),
    field("add_prefix", &RewriteConfig::add_prefix,
          "Put before the path, after `strip_prefix` was taken off."),
    field("path", &RewriteConfig::path,
          "The whole new path, with variables. Values that are no part of the path (headers, …) "
          "are percent-encoded. With a `?` in it, it replaces the query too."),
    field("regex", &RewriteConfig::regex, "Replaces what a regular expression matches.",
          schema::of(kRegexSchema)),
    schema::check(&check_rewrite), schema::example("strip_prefix: /v1\nadd_prefix: /api\n"));

}  // namespace

const schema::SchemaOf<RewriteConfig>& kRewriteSchema = kSchema;

Rewrite::Rewrite(const RewriteConfig& config)
    : strip_(config.strip_prefix.value_or("")), add_(config.add_prefix.value_or("")) {
  while (strip_.ends_with('/')) strip_.pop_back();
  while (add_.ends_with('/')) add_.pop_back();
  if (config.path) path_.emplace(*config.path);
  if (!config.regex) return;
  regex_ = std::make_unique<re2::RE2>(config.regex->match, re2::RE2::Quiet);
  const std::string& to = config.regex->to;
  to_.emplace_back();
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == '\\' && i + 1 < to.size() && text::is_digit(to[i + 1])) {
      to_.push_back({{}, to[++i] - '0'});
      to_.emplace_back();
    } else {
      if (to[i] == '\\') ++i;  // "\\" is a backslash
      if (i < to.size()) to_.back().text += to[i];
    }
  }
}

std::string_view Rewrite::change_prefix(std::string_view path, Arena& arena) const {
  if (!strip_.empty() && path.starts_with(strip_)) {
    const std::string_view rest = path.substr(strip_.size());
    if (rest.empty()) path = "/";
    if (rest.starts_with('/')) path = rest;
  }
  return add_.empty() ? path : arena.join(add_, path);
}

std::string_view Rewrite::expand(const re2::StringPiece* groups, Arena& arena) const {
  std::string_view made;
  for (const Piece& piece : to_) {
    std::string_view part = piece.text;
    if (piece.group >= 0) part = {groups[piece.group].data(), groups[piece.group].size()};
    if (!part.empty()) made = made.empty() ? part : arena.join(made, part);
  }
  return made;
}

std::string_view Rewrite::replace(std::string_view path, Arena& arena) const {
  re2::StringPiece groups[kMostGroups + 1];
  const int wanted = std::min(regex_->NumberOfCapturingGroups(), kMostGroups) + 1;
  if (!regex_->Match({path.data(), path.size()}, 0, path.size(), re2::RE2::UNANCHORED, groups,
                     wanted)) {
    return path;
  }
  const auto begin = static_cast<std::size_t>(groups[0].data() - path.data());
  return arena.join(path.substr(0, begin), expand(groups, arena),
                    path.substr(begin + groups[0].size()));
}

Outcome Rewrite::take(PolicyContext& context, std::string_view path,
                      const std::string_view* query) {
  const auto normal = http::normalize_path(path, context.arena());
  if (!normal || path.contains('#') || path.contains('?')) {
    return context.reply(400, "rewrite_invalid", "The path cannot be rewritten for the backend.");
  }
  context.set_path(*normal);
  if (query != nullptr) context.set_query(*query);
  return Outcome::pass();
}

Verdict Rewrite::on_request(PolicyContext& context) const {
  Arena& arena = context.arena();
  const std::string_view old = context.path();
  if (path_) {
    const auto made = path_->render(context, arena);
    if (!made) {
      return context.reply(400, "rewrite_invalid", "The path cannot be rewritten for the backend.");
    }
    return take(context, made->path, made->query ? &*made->query : nullptr);
  }
  const std::string_view path = regex_ ? replace(old, arena) : change_prefix(old, arena);
  if (path.data() == old.data() && path.size() == old.size()) return Outcome::pass();
  return take(context, path, nullptr);
}

}  // namespace doorward::policy
