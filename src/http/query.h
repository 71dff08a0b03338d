// Looking into a query (application/x-www-form-urlencoded: '&' between pairs, '+' a space) and a
// Cookie field (RFC 6265 §5.4) without taking them apart first. Names are compared decoded; values
// come as they were sent, decode_query makes them plain. Nothing allocates.
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"

namespace doorward::http {

struct QueryPair {
  std::string_view name;  // both still encoded
  std::string_view value;
};

// Takes the first pair off `rest`; empty pieces ("a&&b") are skipped. Nothing when none is left.
std::optional<QueryPair> next_query_pair(std::string_view& rest);

// The value, as sent, of the first parameter of that (plain) name; "a" and "a=" have an empty one.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name);

// Calls use(value as sent) for each parameter of that name until it returns true; whether it did.
template <class Use>
bool any_query_value(std::string_view query, std::string_view name, Use&& use);

// `value` itself when nothing is encoded in it, else plain bytes in `arena`.
std::string_view decode_query(std::string_view value, Arena& arena);

// The first cookie of that name in one Cookie field's value. Names are case-sensitive; quotes
// around a value belong to it.
std::optional<std::string_view> cookie_value(std::string_view cookies, std::string_view name);

bool query_name_equals(std::string_view encoded, std::string_view name);

template <class Use>
bool any_query_value(std::string_view query, std::string_view name, Use&& use) {
  while (auto pair = next_query_pair(query)) {
    if (query_name_equals(pair->name, name) && use(pair->value)) return true;
  }
  return false;
}

}  // namespace doorward::http
