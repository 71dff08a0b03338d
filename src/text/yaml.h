// YAML as a tree that remembers where every key and value stands, for configuration.
// Owner: who parsed it; a tree is a value and keeps its source texts alive. Subtle: scalars stay
// text (a type is the reader's business) and say whether they were quoted. Stricter than YAML 1.2:
// one document, UTF-8, plain keys, no doubled keys, no tags, no merge keys; aliases are copied, and
// nodes, depth and text are limited, so that a small file cannot become a large tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::text {

struct Place;

// A text with a name, from which lines can be shown.
class SourceFile {
 public:
  SourceFile(std::string name, std::string text);
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  // A line without its end; numbers begin at 1; empty when there is none.
  std::string_view line(std::uint32_t number) const;
  // The text from a place of this file to the end.
  std::string_view from(const Place& place) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::size_t> starts_;
};

// Where something stands. Line and column begin at 1 (the column counts bytes); 0 is unknown.
struct Place {
  std::shared_ptr<const SourceFile> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  std::string_view file_name() const { return file ? std::string_view(file->name()) : ""; }
  std::string to_string() const;  // "gateway.yaml:3:5"
};

struct Member;

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };

  Kind kind = Kind::null;
  bool quoted = false;  // a scalar in quotes, or a block scalar
  Place place;
  std::string text;             // of a scalar
  std::vector<Node> items;      // of a list
  std::vector<Member> members;  // of a map, in the file's order

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  // The unquoted word `word`.
  bool is_word(std::string_view word) const { return is_scalar() && !quoted && text == word; }
  const Member* find(std::string_view key) const;  // of a map; null when there is none
};

struct Member {
  std::string key;
  Place place;  // of the key
  Node value;
};

struct YamlError {
  Place place;
  std::string message;  // one sentence without a full stop: what is wrong, and the way out
};

struct YamlLimits {
  std::size_t text_bytes = std::size_t{64} << 20;  // of the file, and of all scalars with copies
  std::size_t nodes = std::size_t{1} << 20;
  std::size_t depth = 64;
};

// An empty text is a null node. After an error of grammar there is just that one; doubled keys,
// tags and merge keys are all told.
std::expected<Node, std::vector<YamlError>> parse_yaml(std::shared_ptr<const SourceFile> source,
                                                       const YamlLimits& limits = {});

// Joins the trees of several files into one, in order. At the top: lists are appended, maps united,
// equal scalars are one; a key that two files give is an error that names both places.
std::expected<Node, std::vector<YamlError>> merge_yaml(std::vector<Node> roots);

}  // namespace doorward::text
