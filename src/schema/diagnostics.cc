// Printing follows the form of compilers, so that editors jump to the place.
#include "schema/diagnostics.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "schema/secret_mask.h"
#include "text/nearest.h"

namespace doorward::schema {
namespace {

constexpr std::size_t kShownLine = 160;

std::string_view to_string(Severity severity) {
  return severity == Severity::error ? "error" : "warning";
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool ends_in_secret(std::string_view path) {
  return is_secret_name(path.substr(path.rfind('.') + 1));
}

// "  12 | the line\n     |     ^": tabs stay tabs, so that the caret stands below its place.
std::string marked_line(const text::Place& place, std::string_view path) {
  const std::string_view line = place.file ? place.file->line(place.line) : "";
  if (line.empty() || place.column == 0 || line.size() > kShownLine) return {};
  const auto [shown, column] = mask_secrets(line, place.column, ends_in_secret(path));
  std::string indent;
  for (const char c : shown.substr(0, std::min(column - 1, shown.size()))) {
    if (!is_continuation(c)) indent.push_back(c == '\t' ? '\t' : ' ');
  }
  return fmt::format("{0:>5} | {1}\n{2:>5} | {3}^\n", place.line, shown, "", indent);
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '*' || c == '/';
  });
}

}  // namespace

std::string Diagnostic::to_text() const {
  std::string out;
  if (place.file)
    out += place.line == 0 ? fmt::format("{}: ", place.file_name())
                           : fmt::format("{}: ", place.to_string());
  out += fmt::format("{}: {}{}{}\n", to_string(severity), path, path.empty() ? "" : ": ", message);
  return out + marked_line(place, path);
}

Json Diagnostic::to_json() const {
  Json json = {{"severity", to_string(severity)}, {"file", place.file_name()}};
  json["line"] = place.line;
  json["column"] = place.column;
  json["path"] = path;
  json["message"] = message;
  if (!suggestion.empty()) json["suggestion"] = suggestion;
  return json;
}

Diagnostics::Scope::Scope(Diagnostics& diagnostics, std::string_view key, const text::Node& node)
    : diagnostics_(diagnostics), path_length_(diagnostics.path_.size()) {
  append_key(diagnostics.path_, key);
  diagnostics.open_.push_back(&node);
}

Diagnostics::Scope::Scope(Diagnostics& diagnostics, std::size_t index, const text::Node& node)
    : diagnostics_(diagnostics), path_length_(diagnostics.path_.size()) {
  diagnostics.path_ += fmt::format("[{}]", index);
  diagnostics.open_.push_back(&node);
}

Diagnostics::Scope::Scope(Diagnostics& diagnostics, const text::Node& node)
    : diagnostics_(diagnostics), path_length_(diagnostics.path_.size()) {
  diagnostics.open_.push_back(&node);
}

Diagnostics::Scope::~Scope() {
  diagnostics_.path_.resize(path_length_);
  diagnostics_.open_.pop_back();
}

// What is wrong with a secret is told without it.
void Diagnostics::error(std::string message, std::string suggestion) {
  if (!open_.empty() && open_.back()->is_scalar() && ends_in_secret(path_)) {
    const std::string shown = describe(*open_.back());
    if (const std::size_t at = message.find(shown); at != std::string::npos) {
      message.replace(at, shown.size(), "what is there");
    }
  }
  add({Severity::error, open_.empty() ? text::Place{} : open_.back()->place, path_,
       std::move(message), std::move(suggestion)});
}

void Diagnostics::warning(std::string message) {
  add({Severity::warning,
       open_.empty() ? text::Place{} : open_.back()->place,
       path_,
       std::move(message),
       {}});
}

void Diagnostics::error_at(std::string_view key, std::string message, std::string suggestion) {
  add(at_key(Severity::error, key, std::move(message), std::move(suggestion)));
}

void Diagnostics::warning_at(std::string_view key, std::string message) {
  add(at_key(Severity::warning, key, std::move(message), {}));
}

Diagnostic Diagnostics::at_key(Severity severity, std::string_view key, std::string message,
                               std::string suggestion) const {
  Diagnostic made{severity, {}, path_, std::move(message), std::move(suggestion)};
  append_key(made.path, key);
  if (open_.empty()) return made;
  const text::Member* member = open_.back()->find(key);
  made.place = member == nullptr ? open_.back()->place : member->place;
  return made;
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::error) ++errors_;
  if (full()) {
    ++omitted_;
  } else {
    all_.push_back(std::move(diagnostic));
  }
}

void Diagnostics::add(const std::vector<text::YamlError>& errors) {
  for (const text::YamlError& error : errors) {
    add({Severity::error, error.place, {}, error.message, {}});
  }
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<const Diagnostic*> order;
  order.reserve(all_.size());
  for (const Diagnostic& diagnostic : all_) order.push_back(&diagnostic);
  // Of one place, as they were found: the addresses rise.
  std::ranges::sort(order, {}, [](const Diagnostic* d) {
    return std::tuple(d->place.file_name(), d->place.line, d->place.column, d);
  });
  std::vector<Diagnostic> sorted;
  sorted.reserve(order.size());
  for (const Diagnostic* diagnostic : order) sorted.push_back(*diagnostic);
  return sorted;
}

std::string Diagnostics::to_text() const {
  std::string out;
  for (const Diagnostic& diagnostic : sorted()) out += diagnostic.to_text();
  if (omitted_ > 0) out += fmt::format("and {} more\n", omitted_);
  return out;
}

Json Diagnostics::to_json() const {
  Json list = Json::array();
  for (const Diagnostic& diagnostic : sorted()) list.push_back(diagnostic.to_json());
  return {{"errors", errors_},
          {"warnings", all_.size() + omitted_ - errors_},
          {"diagnostics", std::move(list)},
          {"omitted", omitted_}};
}

std::string unknown_name(std::string_view what, std::string_view name,
                         std::span<const std::string_view> right, std::string& suggestion) {
  if (const auto near = text::nearest(name, right)) {
    suggestion = *near;
    return fmt::format("{}; did you mean \"{}\"?", what, *near);
  }
  if (right.empty()) return fmt::format("{}; there is none to name", what);
  constexpr std::size_t kListed = 20;
  const auto listed = right.subspan(0, std::min(right.size(), kListed));
  return fmt::format("{}; {} {}{}", what, right.size() == 1 ? "the only one is" : "there are",
                     fmt::join(listed, ", "), right.size() > kListed ? ", …" : "");
}

void append_key(std::string& path, std::string_view key) {
  if (!is_plain_key(key)) {
    path += fmt::format("[\"{}\"]", key);
    return;
  }
  if (!path.empty()) path += '.';
  path += key;
}

namespace {

// Takes one step off `path`; null when the node has no such child.
const text::Node* step(const text::Node& node, std::string_view& path) {
  std::string_view key;
  if (path.starts_with("[\"")) {
    const std::size_t end = path.find("\"]");
    if (end == std::string_view::npos) return nullptr;
    key = path.substr(2, end - 2);
    path.remove_prefix(end + 2);
  } else if (path.starts_with('[')) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
    if (error != std::errc{} || end == path.data() + path.size()) return nullptr;
    path.remove_prefix(static_cast<std::size_t>(end - path.data()) + 1);
    // A single value may stand for a list of one.
    if (!node.is_list()) return index == 0 ? &node : nullptr;
    return index < node.items.size() ? &node.items[index] : nullptr;
  } else {
    if (path.starts_with('.')) path.remove_prefix(1);
    const std::size_t end = std::min(path.find_first_of(".["), path.size());
    key = path.substr(0, end);
    path.remove_prefix(end);
  }
  const text::Member* member = node.find(key);
  return member == nullptr ? nullptr : &member->value;
}

}  // namespace

const text::Node* find_path(const text::Node& root, std::string_view path) {
  const text::Node* node = &root;
  while (!path.empty() && node != nullptr) node = step(*node, path);
  return node;
}

std::string describe(const text::Node& node) {
  constexpr std::size_t kShown = 40;
  switch (node.kind) {
    case text::Node::Kind::null:
      return "nothing";
    case text::Node::Kind::list:
      return "a list";
    case text::Node::Kind::map:
      return "a map";
    case text::Node::Kind::scalar:
      break;
  }
  if (node.text.size() <= kShown) return fmt::format("\"{}\"", node.text);
  std::size_t end = kShown;
  while (end > 0 && is_continuation(node.text[end])) --end;
  return fmt::format("\"{}…\"", std::string_view(node.text).substr(0, end));
}

}  // namespace doorward::schema
