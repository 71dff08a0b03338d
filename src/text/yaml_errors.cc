#include "text/yaml_errors.h"

#include <algorithm>
#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>

namespace doorward::text {
namespace {

using Source = std::shared_ptr<const SourceFile>;

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

}  // namespace

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

}  // namespace doorward::text
