// The sentences of value.h, kept out of its templates.
#include "schema/value.h"

#include <fmt/ranges.h>

namespace doorward::schema {

std::string count_message(std::string_view what, std::size_t size, Range range) {
  if (size < range.min && range.min == 1) return fmt::format("must not be empty");
  if (size < range.min) {
    return fmt::format("must have at least {} {}, has {}", range.min, what, size);
  }
  return fmt::format("must have at most {} {}, has {}", range.max, what, size);
}

bool check_size(std::string_view what, std::size_t size, Range range, Diagnostics& diagnostics) {
  if (size >= range.min && size <= range.max) return true;
  diagnostics.error(count_message(what, size, range));
  return false;
}

bool check_text(std::string_view text, const TextCheck& check, Diagnostics& diagnostics) {
  if (check.holds(text)) return true;
  text::Node shown;
  shown.kind = text::Node::Kind::scalar;
  shown.text = text;
  say_not_a(shown, check.name, check.example, {}, diagnostics);
  return false;
}

bool check_key(const text::Member& member, const TextCheck& check, Diagnostics& diagnostics) {
  if (check.holds(member.key)) return true;
  diagnostics.add({Severity::error,
                   member.place,
                   diagnostics.path(),
                   fmt::format("the key must be {} such as {}", check.name, check.example),
                   {}});
  return false;
}

bool expect_map(const text::Node& node, std::string_view of_what, Diagnostics& diagnostics) {
  if (node.is_map()) return true;
  diagnostics.error(fmt::format("must be a map of {}, not {}", of_what, describe(node)));
  return false;
}

bool expect_list(const text::Node& node, bool one_or_many, Diagnostics& diagnostics) {
  if (node.is_list() || (one_or_many && !node.is_null())) return true;
  if (node.is_null()) {
    diagnostics.error("has no value; an empty list is written []");
  } else {
    diagnostics.error(fmt::format("must be a list ([…]), not {}", describe(node)));
  }
  return false;
}

void say_not_one_of(const text::Node& node, std::span<const std::string_view> names,
                    Diagnostics& diagnostics) {
  const std::string list =
      fmt::format("must be {}{}", names.size() > 1 ? "one of " : "", fmt::join(names, ", "));
  if (!node.is_scalar()) {
    diagnostics.error(fmt::format("{}, not {}", list, describe(node)));
    return;
  }
  std::string suggestion;
  std::string message =
      unknown_name(list + ", not " + describe(node), node.text, names, suggestion);
  if (suggestion.empty()) message = list + ", not " + describe(node);
  diagnostics.error(std::move(message), std::move(suggestion));
}

}  // namespace doorward::schema
