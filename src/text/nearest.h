// The nearest right name for a misspelt one: edit distance with transpositions, without case.
// Pure; for diagnostics, never on the request's path.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace doorward::text {

// Steps (insert, delete, replace, swap two neighbours) from `a` to `b`; letters without case, and
// '-', '_' and ' ' count as the same. Bounded: names longer than 64 bytes are infinitely far.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate closest to `name`, if one is close enough to be meant (a third of the name's
// length, rounded up, or it begins with the name). The first of equals.
std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> candidates);

}  // namespace doorward::text
