// The tree is built from yaml-cpp's events, not its nodes: only events keep the places of keys,
// doubled keys and quotes. Its exceptions end here.
#include "text/yaml.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

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

// yaml-cpp's words for what goes wrong most often, in words for who wrote the file.
std::string sentence(const std::string& message) {
  struct Words {
    const char* theirs;
    const char* ours;
  };
  namespace m = YAML::ErrorMsg;
  static const Words kWords[] = {
      {m::TAB_IN_INDENTATION, "a tab is used for indentation; YAML wants spaces"},
      {m::MAP_VALUE,
       "a \":\" cannot stand here; put the text in quotes, or correct the indentation"},
      {m::MAP_KEY, "a key cannot stand here; correct the indentation"},
      {m::BLOCK_ENTRY, "a \"- \" cannot stand here; correct the indentation"},
      {m::END_OF_MAP, "this fits no key; correct the indentation, or put the text in quotes"},
      {m::END_OF_SEQ,
       "this is no item of the list; begin it with \"- \" or correct the indentation"},
      {m::END_OF_MAP_FLOW, "a \"}\" or \",\" is missing; put text with brackets in quotes"},
      {m::END_OF_SEQ_FLOW, "a \"]\" or \",\" is missing; put text with brackets in quotes"},
      {m::FLOW_END, "a bracket closes what is not open; put text with brackets in quotes"},
      {m::UNKNOWN_TOKEN, "this character cannot begin a value; put the text in quotes"},
      {m::EOF_IN_SCALAR, "the closing quote is missing"},
      {m::DOC_IN_SCALAR, "the closing quote is missing"},
      {m::UNKNOWN_ANCHOR,
       "\"*\" begins an alias, and nothing has this name; put the text in quotes"},
      {m::ALIAS_NOT_FOUND, "\"*\" begins an alias; put the text in quotes"},
      {m::CHAR_IN_ALIAS, "\"*\" begins an alias; put the text in quotes"},
      {m::ANCHOR_NOT_FOUND, "\"&\" begins an anchor; put the text in quotes"},
      {m::CHAR_IN_ANCHOR, "\"&\" begins an anchor; put the text in quotes"},
  };
  for (const Words& words : kWords) {
    if (message.starts_with(words.theirs)) return words.ours;
  }
  if (message.starts_with(m::INVALID_ESCAPE)) {
    return message + "; a backslash in double quotes is written twice, or use single quotes";
  }
  return "this is not YAML: " + message;
}

// The place where the writer can mend it: the bracket that is not closed, not the end of the file;
// the tab in the indentation, not what yaml-cpp stumbles over behind it.
YamlError grammar_error(Place place, const Place* open_bracket, const std::string& message) {
  const bool unclosed =
      message == YAML::ErrorMsg::END_OF_MAP_FLOW || message == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (unclosed && open_bracket != nullptr) return {*open_bracket, sentence(message)};
  const std::string_view line = place.file->line(place.line);
  const std::string_view indent = line.substr(0, line.find_first_not_of(" \t"));
  const std::size_t tab = indent.find('\t');
  if (tab == std::string_view::npos) return {std::move(place), sentence(message)};
  place.column = static_cast<std::uint32_t>(tab + 1);
  return {std::move(place), sentence(YAML::ErrorMsg::TAB_IN_INDENTATION)};
}

// The length of the UTF-8 sequence at the start of `text`; 0 when it is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool too_long = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F;
  const bool too_large = first == 0xF4 && byte(1) > 0x8F;
  return too_long || surrogate || too_large ? 0 : length;
}

Place place_at(const Source& source, std::size_t offset) {
  const std::string_view before = std::string_view(source->text()).substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto lines = std::ranges::count(before, '\n');
  return {source, static_cast<std::uint32_t>(lines + 1),
          static_cast<std::uint32_t>(offset - line_start + 1)};
}

// What yaml-cpp would take silently: bytes that are not UTF-8, and control characters (0x04 ends
// its input).
std::optional<YamlError> check_bytes(const Source& source, const YamlLimits& limits) {
  const std::string_view text = source->text();
  if (text.size() > limits.text_bytes) {
    return YamlError{{source, 1, 1}, fmt::format("larger than {} MiB", limits.text_bytes >> 20)};
  }
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      return YamlError{place_at(source, i),
                       fmt::format("not UTF-8 (byte 0x{:02x}); save the file as UTF-8", byte)};
    }
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (control) {
      return YamlError{place_at(source, i), fmt::format("a control character (0x{:02x})", byte)};
    }
    i += length;
  }
  return std::nullopt;
}

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

namespace {

YamlError given_twice(std::string_view what, const Place& first, const Place& second) {
  return {second, fmt::format("{} is given twice; first in {}", what, first.to_string())};
}

void unite(std::string_view section, Node& into, Node&& from, Errors& errors) {
  std::unordered_map<std::string_view, const Member*> known;
  into.members.reserve(into.members.size() + from.members.size());
  for (const Member& member : into.members) known.emplace(member.key, &member);
  for (Member& member : from.members) {
    const auto before = known.find(member.key);
    if (before == known.end()) {
      into.members.push_back(std::move(member));
      continue;
    }
    errors.push_back(given_twice(fmt::format("{} \"{}\"", section, member.key),
                                 before->second->place, member.place));
  }
}

void merge_member(Member& into, Member&& from, Errors& errors) {
  Node& a = into.value;
  Node& b = from.value;
  if (b.is_null()) return;
  if (a.is_null()) {
    into = std::move(from);
  } else if (a.is_list() && b.is_list()) {
    std::ranges::move(b.items, std::back_inserter(a.items));
  } else if (a.is_map() && b.is_map()) {
    unite("in \"" + into.key + "\", the key", a, std::move(b), errors);
  } else if (!a.is_scalar() || !b.is_scalar() || a.text != b.text) {
    errors.push_back(given_twice("the key \"" + into.key + "\"", into.place, from.place));
  }
}

}  // namespace

std::expected<Node, Errors> merge_yaml(std::vector<Node> roots) {
  Node merged;
  Errors errors;
  for (Node& root : roots) {
    if (root.is_null()) continue;
    if (!root.is_map()) {
      errors.push_back({root.place, "a configuration file is a map of keys, such as \"routes:\""});
      continue;
    }
    if (merged.is_null()) {
      merged = std::move(root);
      continue;
    }
    for (Member& member : root.members) {
      const auto known = std::ranges::find(merged.members, member.key, &Member::key);
      if (known == merged.members.end()) {
        merged.members.push_back(std::move(member));
      } else {
        merge_member(*known, std::move(member), errors);
      }
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return merged;
}

}  // namespace doorward::text
