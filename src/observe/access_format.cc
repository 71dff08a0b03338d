// Each field is a prepared prefix (`,"name":`) and a value; the comma before the first one is
// overwritten by the opening brace at the end. Prefixes are copied with a fixed size that covers
// the longest, hence the slack in most_bytes().
#include "observe/access_format.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

#include "observe/json_escape.h"

namespace doorward::observe {
namespace {

constexpr std::size_t kMostDigits = 20;
constexpr std::size_t kMostFixed = 32;  // a prefix, and quotes, digits or a time

char* write_number(char* to, std::uint64_t number) {
  return std::to_chars(to, to + kMostDigits, number).ptr;
}

constexpr bool names_fit() {
  return std::ranges::all_of(kAccessFields, [](const AccessField& field) {
    return field.name.size() <= kLongestFieldName;
  });
}
static_assert(names_fit(), "prefixes have room for kLongestFieldName characters");

}  // namespace

AccessFormat::Piece AccessFormat::piece_of(const AccessField& field) {
  static_assert(kLongestFieldName + 5 <= kPrefixRoom);
  Piece piece{{}, 0, field.member};
  const bool is_text = !std::holds_alternative<std::uint64_t AccessRecord::*>(field.member) &&
                       !std::holds_alternative<StepTime AccessRecord::*>(field.member);
  const std::string prefix = fmt::format(",\"{}\":{}", field.name, is_text ? "\"" : "");
  std::memcpy(piece.prefix, prefix.data(), prefix.size());
  piece.prefix_size = static_cast<std::uint8_t>(prefix.size());
  return piece;
}

AccessFormat::AccessFormat(std::span<const AccessFieldId> fields,
                           std::span<const std::string> mask_query)
    : mask_(mask_query) {
  for (const AccessFieldId id : fields) {
    pieces_.push_back(piece_of(kAccessFields[static_cast<std::size_t>(id)]));
  }
  if (!fields.empty()) return;
  for (const AccessField& field : kAccessFields) pieces_.push_back(piece_of(field));
}

std::size_t AccessFormat::most_bytes(const AccessRecord& record, std::size_t longest_text) const {
  std::size_t texts = 0;
  for (const Piece& piece : pieces_) {
    if (const auto* text = std::get_if<std::string_view AccessRecord::*>(&piece.member)) {
      texts += std::min((record.**text).size(), longest_text);
    } else if (std::holds_alternative<QueryText AccessRecord::*>(piece.member)) {
      texts += std::min(record.query.text.size(), longest_text);
    }
  }
  return texts * kMostEscaped + pieces_.size() * (kPrefixRoom + kMostFixed) + kPrefixRoom;
}

char* AccessFormat::write_piece(const Piece& piece, const AccessRecord& record, TimeStamp& stamp,
                                std::size_t longest_text, char* to) const {
  char* value = to + piece.prefix_size;
  std::memcpy(to, piece.prefix, kPrefixRoom);
  if (const auto* text = std::get_if<std::string_view AccessRecord::*>(&piece.member)) {
    const std::string_view bytes = record.**text;
    if (bytes.empty()) return to;
    value = write_json_text(value, bytes.substr(0, longest_text));
    *value = '"';
    return value + 1;
  }
  if (const auto* number = std::get_if<std::uint64_t AccessRecord::*>(&piece.member)) {
    return write_number(value, record.**number);
  }
  if (const auto* step = std::get_if<StepTime AccessRecord::*>(&piece.member)) {
    return (record.**step).is_set() ? write_number(value, (record.**step).micros()) : to;
  }
  if (const auto* time = std::get_if<WallTime AccessRecord::*>(&piece.member)) {
    value = write_time(value, record.**time, stamp);
    *value = '"';
    return value + 1;
  }
  if (record.query.text.empty()) return to;
  value = mask_.write(value, record.query.text.substr(0, longest_text));
  *value = '"';
  return value + 1;
}

char* AccessFormat::write(const AccessRecord& record, TimeStamp& stamp, std::size_t longest_text,
                          char* to) const {
  char* at = to;
  for (const Piece& piece : pieces_) at = write_piece(piece, record, stamp, longest_text, at);
  if (at == to) ++at;  // no field has a value
  *to = '{';
  *at++ = '}';
  *at++ = '\n';
  return at;
}

}  // namespace doorward::observe
