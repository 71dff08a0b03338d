// Values with units. Numbers are checked against overflow; what is refused is told with the way
// out.
#include "schema/scalar.h"

#include <array>
#include <fmt/format.h>
#include <optional>

namespace doorward::schema {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kKilo = 1000;
constexpr std::uint64_t kKibi = 1024;

// Largest first: the first that divides is how a size is written.
constexpr std::array<Unit, 10> kSizes{{
    {"TiB", kKibi* kKibi* kKibi* kKibi},
    {"TB", kKilo* kKilo* kKilo* kKilo},
    {"GiB", kKibi* kKibi* kKibi},
    {"GB", kKilo* kKilo* kKilo},
    {"MiB", kKibi* kKibi},
    {"MB", kKilo* kKilo},
    {"KiB", kKibi},
    {"kB", kKilo},
    {"KB", kKilo},
    {"B", 1},
}};

constexpr std::array<Unit, 5> kTimes{{
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1000},
    {"ms", 1},
}};

constexpr std::array<Unit, 4> kRates{{
    {"s", 1000},
    {"min", 60'000},
    {"h", 3'600'000},
    {"day", 86'400'000},
}};

// Ten thousand years: more than anybody means, less than what overflows.
constexpr std::uint64_t kLongestMs = 10'000ULL * 366 * 86'400'000;

struct Quantity {
  std::uint64_t number = 0;
  std::string_view unit;  // letters after it
};

// Takes a number and the letters after it off the front of `text`.
std::optional<Quantity> take_quantity(std::string_view& text) {
  Quantity quantity;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), quantity.number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::size_t length = std::min(text.find_first_of("0123456789./ "), text.size());
  quantity.unit = text.substr(0, length);
  text.remove_prefix(length);
  return quantity;
}

template <std::size_t N>
std::optional<std::uint64_t> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

bool multiply(std::uint64_t& value, std::uint64_t factor) {
  return !__builtin_mul_overflow(value, factor, &value);
}

std::unexpected<std::string> standard_error() { return std::unexpected(std::string()); }

std::string needs_unit(std::string_view what, std::string_view number, std::string_view unit) {
  return fmt::format("needs a unit: {} is written like \"{}{}\"", what, number, unit);
}

}  // namespace

std::string out_of_range(std::string_view lowest, std::string_view highest) {
  return fmt::format("must be between {} and {}", lowest, highest);
}

std::expected<bool, std::string> ScalarTraits<bool>::parse(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::unexpected(fmt::format("must be true or false, not \"{}\"", text));
}

std::expected<Bytes, std::string> ScalarTraits<Bytes>::parse(std::string_view text) {
  std::string_view rest = text;
  std::optional<Quantity> quantity = take_quantity(rest);
  if (!quantity || !rest.empty()) return standard_error();
  if (quantity->unit.empty()) {
    if (quantity->number == 0) return Bytes{};
    return std::unexpected(needs_unit("a size", text, "B"));
  }
  const auto factor = factor_of(kSizes, quantity->unit);
  if (!factor) return standard_error();
  if (!multiply(quantity->number, *factor)) return std::unexpected("is too large");
  return Bytes{quantity->number};
}

std::string ScalarTraits<Bytes>::format(Bytes value) {
  if (value.count == 0) return "0";
  for (const Unit& unit : kSizes) {
    if (value.count % unit.factor == 0) {
      return fmt::format("{}{}", value.count / unit.factor, unit.name);
    }
  }
  return fmt::format("{}B", value.count);
}

std::expected<Duration, std::string> ScalarTraits<Duration>::parse(std::string_view text) {
  if (text == "0") return Duration::zero();
  std::string_view rest = text;
  std::uint64_t total = 0;
  std::uint64_t last_factor = kLongestMs;
  while (!rest.empty()) {
    std::optional<Quantity> part = take_quantity(rest);
    if (!part) return standard_error();
    if (part->unit.empty() && rest.empty() && total == 0) {
      return std::unexpected(needs_unit("a duration", text, "s"));
    }
    const auto factor = factor_of(kTimes, part->unit);
    if (!factor || *factor >= last_factor) return standard_error();
    if (!multiply(part->number, *factor) || part->number > kLongestMs - total) {
      return std::unexpected("is too long");
    }
    total += part->number;
    last_factor = *factor;
  }
  if (text.empty()) return standard_error();
  return Duration(static_cast<Duration::rep>(total));
}

std::string ScalarTraits<Duration>::format(Duration value) {
  if (value <= Duration::zero()) return "0";
  std::string out;
  auto rest = static_cast<std::uint64_t>(value.count());
  for (const Unit& unit : kTimes) {
    if (rest >= unit.factor) out += fmt::format("{}{}", rest / unit.factor, unit.name);
    rest %= unit.factor;
  }
  return out;
}

std::expected<Rate, std::string> ScalarTraits<Rate>::parse(std::string_view text) {
  std::string_view rest = text;
  const std::optional<Quantity> quantity = take_quantity(rest);
  if (!quantity || !quantity->unit.empty() || !rest.starts_with('/')) return standard_error();
  const auto per = factor_of(kRates, rest.substr(1));
  if (!per) {
    return std::unexpected(
        fmt::format("must be a number per s, min, h or day, such as 100/min, not \"{}\"", text));
  }
  return Rate{quantity->number, Duration(static_cast<Duration::rep>(*per))};
}

std::string ScalarTraits<Rate>::format(Rate value) {
  for (const Unit& unit : kRates) {
    if (value.per.count() == static_cast<Duration::rep>(unit.factor)) {
      return fmt::format("{}/{}", value.count, unit.name);
    }
  }
  return fmt::format("{}/{}", value.count, ScalarTraits<Duration>::format(value.per));
}

std::expected<ByteRate, std::string> ScalarTraits<ByteRate>::parse(std::string_view text) {
  if (text == "0") return ByteRate{};
  if (!text.ends_with("/s")) return standard_error();
  const auto bytes = ScalarTraits<Bytes>::parse(text.substr(0, text.size() - 2));
  if (!bytes) return standard_error();
  return ByteRate{bytes->count};
}

std::string ScalarTraits<ByteRate>::format(ByteRate value) {
  if (value.bytes_per_second == 0) return "0";
  return ScalarTraits<Bytes>::format({value.bytes_per_second}) + "/s";
}

namespace {

// "true or false" needs no example, and "text such as text" says nothing.
std::string expectation(std::string_view name, std::string_view example) {
  const bool plain = example.empty() || example == "true" || name == example;
  return plain ? fmt::format("must be {}", name)
               : fmt::format("must be {} such as {}", name, example);
}

}  // namespace

bool expect_scalar(const text::Node& node, std::string_view name, std::string_view example,
                   Diagnostics& diagnostics) {
  if (node.is_scalar()) return true;
  if (node.is_null()) {
    diagnostics.error(fmt::format("has no value; it {}", expectation(name, example)));
  } else {
    diagnostics.error(fmt::format("{}, not {}", expectation(name, example), describe(node)));
  }
  return false;
}

void say_not_a(const text::Node& node, std::string_view name, std::string_view example,
               std::string message, Diagnostics& diagnostics) {
  if (message.empty()) {
    message = fmt::format("{}, not {}", expectation(name, example), describe(node));
  }
  diagnostics.error(std::move(message));
}

}  // namespace doorward::schema
