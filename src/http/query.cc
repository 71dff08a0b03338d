#include "http/query.h"

#include "text/percent.h"

namespace doorward::http {
namespace {

std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes what stands before the first `mark` off `rest`.
std::string_view take_until(std::string_view& rest, char mark) {
  const std::size_t end = rest.find(mark);
  const std::string_view piece = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return piece;
}

}  // namespace

std::optional<QueryPair> next_query_pair(std::string_view& rest) {
  while (!rest.empty()) {
    std::string_view value = take_until(rest, '&');
    if (value.empty()) continue;
    const std::string_view name = take_until(value, '=');
    return QueryPair{name, value};
  }
  return std::nullopt;
}

bool query_name_equals(std::string_view encoded, std::string_view name) {
  return encoded == name || text::percent_equals(encoded, name, text::Plus::space);
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  std::optional<std::string_view> found;
  any_query_value(query, name, [&](std::string_view value) {
    found = value;
    return true;
  });
  return found;
}

std::string_view decode_query(std::string_view value, Arena& arena) {
  return text::percent_decode(value, text::Plus::space, arena);
}

std::optional<std::string_view> cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    std::string_view value = take_until(cookies, ';');
    if (!value.contains('=')) continue;
    const std::string_view key = trim_spaces(take_until(value, '='));
    if (key == name) return trim_spaces(value);
  }
  return std::nullopt;
}

}  // namespace doorward::http
