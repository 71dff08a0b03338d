#include "translate/grpc/timeout.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "text/ascii.h"

namespace doorward::translate::grpc {
namespace {

constexpr std::size_t kMostDigits = 8;
constexpr std::int64_t kMostNumber = 99'999'999;

struct Unit {
  char letter;
  std::int64_t micros;
};
// Finest first; nanoseconds are no whole microseconds, so they are read apart.
constexpr std::array<Unit, 5> kUnits = {{
    {'u', 1},
    {'m', 1'000},
    {'S', 1'000'000},
    {'M', 60'000'000},
    {'H', 3'600'000'000},
}};

}  // namespace

std::expected<Timeout, std::string_view> parse_timeout(std::string_view text) {
  constexpr std::string_view kShape =
      "grpc-timeout is not one to eight digits and a unit of H, M, S, m, u, n.";
  if (text.size() < 2 || text.size() > kMostDigits + 1) return std::unexpected(kShape);
  const char letter = text.back();
  text.remove_suffix(1);
  if (!std::ranges::all_of(text, &text::is_digit)) return std::unexpected(kShape);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (letter == 'n') return Timeout((number + 999) / 1000);
  for (const Unit& unit : kUnits) {
    if (unit.letter == letter) return std::min(Timeout(number * unit.micros), kLongestTimeout);
  }
  return std::unexpected(kShape);
}

char* write_timeout(Timeout timeout, char* to) {
  const std::int64_t micros = std::min(timeout, kLongestTimeout).count();
  const Unit* unit = kUnits.data();
  while (micros / unit->micros > kMostNumber) ++unit;
  to = std::to_chars(to, to + kMostDigits, micros / unit->micros).ptr;
  *to = unit->letter;
  return to + 1;
}

}  // namespace doorward::translate::grpc
