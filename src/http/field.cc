// Lists, tokens and quality values. Hostile input is usual here: everything is linear.
#include "http/field.h"

#include <algorithm>

namespace doorward::http {
namespace {

// qvalue (RFC 9110 §12.4.2) in thousandths; -1 when malformed.
int parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  int value = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return -1;
  int scale = 100;
  for (std::size_t i = 2; i < text.size(); ++i, scale /= 10) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value += (text[i] - '0') * scale;
  }
  return value <= 1000 ? value : -1;
}

// Qualities that an Accept-Encoding list gives to one coding; -1: not mentioned.
struct Accepted {
  int coding = -1;
  int any = -1;
};

Accepted accepted(const HeaderList& headers, std::string_view coding) {
  Accepted result;
  for (const Header& header : headers.values(HeaderName::accept_encoding)) {
    for (std::string_view element : ListElements(header.value)) {
      const Weighted weighted = parse_weighted(element);
      if (weighted.value == "*") {
        result.any = weighted.quality;
      } else if (equal_ignore_case(weighted.value, coding)) {
        result.coding = weighted.quality;
      }
    }
  }
  return result;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_field_value(std::string_view text) {
  if (text.empty()) return true;
  if (is_blank(text.front()) || is_blank(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t';
  });
}

ListElements::Iterator& ListElements::Iterator::operator++() {
  element_ = {};
  while (element_.empty()) {
    if (rest_.empty()) {
      done_ = true;
      return *this;
    }
    std::size_t end = 0;
    bool quoted = false;
    for (; end < rest_.size() && (quoted || rest_[end] != ','); ++end) {
      if (rest_[end] == '"') quoted = !quoted;
      if (quoted && rest_[end] == '\\' && end + 1 < rest_.size()) ++end;
    }
    element_ = trim(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
  }
  return *this;
}

bool has_token(std::string_view list, std::string_view token) {
  for (std::string_view element : ListElements(list)) {
    if (equal_ignore_case(element, token)) return true;
  }
  return false;
}

bool has_token(const HeaderList& headers, HeaderName name, std::string_view token) {
  if (!headers.has(name)) return false;
  for (const Header& header : headers.values(name)) {
    if (has_token(header.value, token)) return true;
  }
  return false;
}

Weighted parse_weighted(std::string_view element) {
  Weighted result;
  const std::size_t semicolon = element.find(';');
  result.value = trim(element.substr(0, semicolon));
  while (!element.empty() && element.find(';') != std::string_view::npos) {
    element.remove_prefix(element.find(';') + 1);
    const std::string_view parameter = trim(element.substr(0, element.find(';')));
    if (parameter.size() >= 2 && text::lower(parameter[0]) == 'q' && parameter[1] == '=') {
      result.quality = std::max(0, parse_quality(parameter.substr(2)));
      break;
    }
  }
  return result;
}

int choose_encoding(const HeaderList& headers, std::span<const std::string_view> offered) {
  if (!headers.has(HeaderName::accept_encoding)) return -1;
  int best = -1;
  int best_quality = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const Accepted said = accepted(headers, offered[i]);
    const int quality = said.coding >= 0 ? said.coding : std::max(0, said.any);
    if (quality > best_quality) {
      best = static_cast<int>(i);
      best_quality = quality;
    }
  }
  // Identity is acceptable by default, but preferred only when it says so with a higher weight.
  return accepted(headers, "identity").coding > best_quality ? -1 : best;
}

}  // namespace doorward::http
