// The tree is built from yaml-cpp's events, not its nodes: only events keep the places of keys,
// doubled keys and quotes. Its exceptions end here.
#include "text/yaml.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>
#include <unordered_map>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "text/yaml_errors.h"

namespace doorward::text {

SourceFile::SourceFile(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') starts_.push_back(i + 1);
  }
}

std::string_view SourceFile::line(std::uint32_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  const std::string_view rest = std::string_view(text_).substr(starts_[number - 1]);
  return rest.substr(0, std::min(rest.find_first_of("\r\n"), rest.size()));
}

std::string_view SourceFile::from(const Place& place) const {
  if (place.line == 0 || place.column == 0 || place.line > starts_.size()) return {};
  const std::size_t offset = starts_[place.line - 1] + place.column - 1;
  return offset < text_.size() ? std::string_view(text_).substr(offset) : std::string_view();
}

std::string Place::to_string() const { return fmt::format("{}:{}:{}", file_name(), line, column); }

const Member* Node::find(std::string_view key) const {
  const auto found = std::ranges::find(members, key, &Member::key);
  return found == members.end() ? nullptr : &*found;
}

namespace {

using Errors = std::vector<YamlError>;
using Source = std::shared_ptr<const SourceFile>;

// What ends parsing at once; caught in parse_yaml.
struct Refused {
  YamlError error;
};

// Nodes and text of a tree: what copying it costs.
struct Weight {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

Weight weight_of(const Node& node) {
  Weight sum{1, node.text.size()};
  const auto add = [&sum](const Node& child) {
    const Weight weight = weight_of(child);
    sum.nodes += weight.nodes;
    sum.bytes += weight.bytes;
  };
  for (const Node& item : node.items) add(item);
  for (const Member& member : node.members) {
    sum.bytes += member.key.size();
    add(member.value);
  }
  return sum;
}

std::size_t depth_of(const Node& node) {
  std::size_t deepest = 0;
  for (const Node& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const Member& member : node.members) deepest = std::max(deepest, depth_of(member.value));
  return deepest + 1;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(Source source, const YamlLimits& limits)
      : source_(std::move(source)), limits_(limits) {}

  Node take_root() { return std::move(root_); }
  Errors& errors() { return errors_; }
  // Where the innermost list or map that is not closed begins, if it is written with brackets.
  const Place* open_bracket() const {
    if (open_.empty()) return nullptr;
    const std::string_view from = source_->from(open_.back().node.place);
    const bool bracket = from.starts_with('[') || from.starts_with('{');
    return bracket ? &open_.back().node.place : nullptr;
  }
  Place place(const YAML::Mark& mark) const {
    if (mark.is_null()) return {source_, 1, 1};
    return {source_, static_cast<std::uint32_t>(mark.line + 1),
            static_cast<std::uint32_t>(mark.column + 1)};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(mark, "a second document begins here; a file holds one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) refuse(mark, "a key is missing before the \":\"");
    count({1, 0}, mark);
    add(make(mark, Node::Kind::null), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    count({1, value.size()}, mark);
    check_tag(mark, tag);
    const bool quoted = tag == "!";
    check_closed(mark);
    if (wants_key()) return add_key(mark, value, quoted);
    Node node = make(mark, Node::Kind::scalar);
    node.text = value;
    node.quoted = quoted;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) refuse(mark, "an alias cannot be a key");
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "this alias stands inside of what it names");
    count(weight_of(known->second), mark);
    check_depth(mark, open_.size() + depth_of(known->second));
    add(Node(known->second), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    bool drop = false;  // the value of a doubled key: told, then left out
    std::string key;
    Place key_place;
    std::unordered_map<std::string, std::size_t> seen = {};  // key -> index of its member
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused{{place(mark), std::move(message)}};
  }

  Node make(const YAML::Mark& mark, Node::Kind kind) const {
    Node node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.is_map() && !open_.back().has_key;
  }

  void count(Weight weight, const YAML::Mark& mark) {
    total_.nodes += weight.nodes;
    total_.bytes += weight.bytes;
    if (total_.nodes <= limits_.nodes && total_.bytes <= limits_.text_bytes) return;
    refuse(mark, fmt::format("too large: more than {} values or {} MiB of text, copies by aliases "
                             "included",
                             limits_.nodes, limits_.text_bytes >> 20));
  }

  void check_depth(const YAML::Mark& mark, std::size_t depth) const {
    if (depth <= limits_.depth) return;
    refuse(mark, fmt::format("nested too deeply: more than {} levels", limits_.depth));
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    errors_.push_back({place(mark), "YAML tags (\"!…\") have no meaning here; leave it out"});
  }

  // yaml-cpp takes the end of the file for a closing quote.
  void check_closed(const YAML::Mark& mark) const {
    const Place start = place(mark);
    std::string_view rest = source_->from(start);
    if (rest.empty() || (rest.front() != '"' && rest.front() != '\'')) return;
    const char quote = rest.front();
    for (std::size_t i = 1; i < rest.size(); ++i) {
      const bool escaped = quote == '"' ? rest[i] == '\\' : rest.substr(i, 2) == "''";
      if (escaped) {
        ++i;
      } else if (rest[i] == quote) {
        return;
      }
    }
    refuse(mark, "the closing quote is missing");
  }

  void add_key(const YAML::Mark& mark, const std::string& key, bool quoted) {
    Open& map = open_.back();
    map.has_key = true;
    map.key = key;
    map.key_place = place(mark);
    map.drop = true;
    if (key == "<<" && !quoted) {
      errors_.push_back({map.key_place,
                         "merge keys (\"<<\") are not supported; write the keys out, or give them "
                         "a name and use that"});
      return;
    }
    const auto [first, is_new] = map.seen.try_emplace(key, map.node.members.size());
    map.drop = !is_new;
    if (is_new) return;
    const Place& before = map.node.members[first->second].place;
    errors_.push_back({map.key_place, fmt::format("the key \"{}\" is given twice; first in line {}",
                                                  key, before.line)});
  }

  void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             Node::Kind kind) {
    if (wants_key())
      refuse(mark, "a key must be plain text; if none is meant here, the bracket is not closed");
    count({1, 0}, mark);
    check_tag(mark, tag);
    check_depth(mark, open_.size() + 1);
    open_.push_back({.node = make(mark, kind), .anchor = anchor, .key = {}, .key_place = {}});
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_.insert_or_assign(anchor, node);
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    parent.has_key = false;
    if (parent.drop) return;
    parent.node.members.push_back(
        {std::move(parent.key), std::move(parent.key_place), std::move(node)});
  }

  Source source_;
  const YamlLimits& limits_;
  Node root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  Weight total_;
  Errors errors_;
  int documents_ = 0;
};

}  // namespace

std::expected<Node, Errors> parse_yaml(Source source, const YamlLimits& limits) {
  if (auto error = check_bytes(source, limits)) return std::unexpected(Errors{std::move(*error)});
  TreeBuilder builder(source, limits);
  try {
    std::istringstream stream(source->text());
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    builder.errors().push_back(refused.error);
  } catch (const YAML::Exception& error) {
    builder.errors().push_back(
        grammar_error(builder.place(error.mark), builder.open_bracket(), error.msg));
  } catch (const std::exception& error) {
    builder.errors().push_back({{source, 1, 1}, fmt::format("cannot be read: {}", error.what())});
  }
  if (!builder.errors().empty()) return std::unexpected(std::move(builder.errors()));
  return builder.take_root();
}

}  // namespace doorward::text
