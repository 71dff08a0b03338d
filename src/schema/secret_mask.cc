// Reads just enough of YAML to find keys and the ends of their values; where an end is in doubt,
// everything to the end of the line goes.
#include "schema/secret_mask.h"

#include <algorithm>
#include <array>

#include "text/nearest.h"

namespace doorward::schema {
namespace {

constexpr std::array<std::string_view, 4> kSecretNames{"token", "secret", "password", "api_key"};
constexpr std::string_view kMask = "***";

// The key that ends before the colon at `colon`: a word, or what stands in quotes.
std::string_view key_before(std::string_view line, std::size_t colon) {
  std::string_view text = line.substr(0, colon);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const bool quoted = text.ends_with('"') || text.ends_with('\'');
  const char quote = quoted ? text.back() : '\0';
  if (quoted) text.remove_suffix(1);
  const std::size_t begin = quoted ? text.rfind(quote) : text.find_last_of(" \t{[,\"'");
  return begin == std::string_view::npos ? text : text.substr(begin + 1);
}

bool is_in_flow(std::string_view before) {
  const auto count = [&](char c) { return std::ranges::count(before, c); };
  return count('{') + count('[') > count('}') + count(']');
}

// Where the value that begins at `begin` ends on this line.
std::size_t value_end(std::string_view line, std::size_t begin) {
  const char first = line[begin];
  if (first == '"' || first == '\'') {
    for (std::size_t i = begin + 1; i < line.size(); ++i) {
      if (first == '"' && line[i] == '\\') {
        ++i;
      } else if (line[i] == first) {
        if (first == '"' || !line.substr(i + 1).starts_with('\'')) return i + 1;
        ++i;  // '' is a quote in single quotes
      }
    }
    return line.size();
  }
  if (first == '[' || !is_in_flow(line.substr(0, begin))) return line.size();
  return std::min(line.find_first_of(",[]{}", begin), line.size());
}

// Nothing that could be a secret: a map (its keys are judged by themselves), a block's sign, or the
// value is on a line below.
bool is_no_value(std::string_view line, std::size_t begin) {
  return begin == std::string_view::npos || std::string_view("{|>#").contains(line[begin]);
}

// Copies the line piece by piece.
class Masking {
 public:
  Masking(std::string_view line, std::size_t column) : line_(line), column_(column) {}

  void mask(std::size_t begin) {
    const std::size_t end = value_end(line_, begin);
    out_.append(line_.substr(done_, begin - done_)).append(kMask);
    if (column_ > end) {
      column_moved_ = column_ - end + out_.size();
    } else if (column_ > begin) {
      column_moved_ = out_.size() - kMask.size() + 1;
    }
    done_ = end;
  }
  std::size_t done() const { return done_; }
  MaskedLine result() {
    out_.append(line_.substr(done_));
    return {std::move(out_), column_moved_};
  }

 private:
  std::string_view line_;
  std::size_t column_;
  std::size_t column_moved_ = column_;
  std::size_t done_ = 0;
  std::string out_;
};

}  // namespace

bool is_secret_name(std::string_view key) { return text::nearest(key, kSecretNames).has_value(); }

MaskedLine mask_secrets(std::string_view line, std::size_t column, bool at_secret) {
  Masking masking(line, column);
  bool key_seen = false;
  for (std::size_t i = line.find(':'); i != std::string_view::npos; i = line.find(':', i + 1)) {
    if (i < masking.done() || !is_secret_name(key_before(line, i))) continue;
    key_seen = true;
    const std::size_t begin = line.find_first_not_of(" \t", i + 1);
    if (!is_no_value(line, begin)) masking.mask(begin);
  }
  if (at_secret && !key_seen && column > 0 && column <= line.size()) masking.mask(column - 1);
  return masking.result();
}

}  // namespace doorward::schema
