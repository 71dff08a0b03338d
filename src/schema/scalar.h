// ScalarTraits<T>: how a value of type T is written in one word. The customisation point for types
// that a single YAML scalar gives (an IP range, a URL): specialise it beside the type.
//   kName     what it is, for people: "a size"
//   kExample  one that is right: "64KiB"
//   kPattern  a regular expression for JSON Schema, or ""
//   parse     the value; an empty error means "must be NAME such as EXAMPLE, not TEXT", otherwise
//             the error is that sentence's replacement ("must be …", "is …")
//   format    what parse reads back
// Built in: bool, integers, double, std::string, Bytes, Duration, Rate, ByteRate.
#pragma once

#include <charconv>
#include <concepts>
#include <expected>
#include <limits>
#include <string>
#include <string_view>

#include "base/units.h"
#include "schema/diagnostics.h"

namespace doorward::schema {

template <class T>
struct ScalarTraits;

template <class T>
concept Scalar = requires(std::string_view text, const T& value) {
  { ScalarTraits<T>::parse(text) } -> std::same_as<std::expected<T, std::string>>;
  { ScalarTraits<T>::format(value) } -> std::convertible_to<std::string>;
};

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

template <class T>
concept Number = Integer<T> || std::floating_point<T>;

template <>
struct ScalarTraits<bool> {
  static constexpr std::string_view kName = "true or false";
  static constexpr std::string_view kExample = "true";
  static constexpr std::string_view kPattern = "";
  static std::expected<bool, std::string> parse(std::string_view text);
  static std::string format(bool value) { return value ? "true" : "false"; }
};

template <>
struct ScalarTraits<std::string> {
  static constexpr std::string_view kName = "text";
  static constexpr std::string_view kExample = "text";
  static constexpr std::string_view kPattern = "";
  static std::expected<std::string, std::string> parse(std::string_view text) {
    return std::string(text);
  }
  static std::string format(const std::string& value) { return value; }
};

// "must be between 1 and 65535" for what from_chars finds out of range.
std::string out_of_range(std::string_view lowest, std::string_view highest);

template <Number T>
struct ScalarTraits<T> {
  static constexpr std::string_view kName = Integer<T> ? "a whole number" : "a number";
  static constexpr std::string_view kExample = Integer<T> ? "10" : "0.5";
  static constexpr std::string_view kPattern = "";
  static std::expected<T, std::string> parse(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end == text.data() + text.size() && !text.empty();
    if (whole && error == std::errc::result_out_of_range) {
      return std::unexpected(out_of_range(format(std::numeric_limits<T>::lowest()),
                                          format(std::numeric_limits<T>::max())));
    }
    // No "inf" and "nan" for settings.
    const bool finite = value - value == T{};
    if (!whole || error != std::errc{} || !finite) return std::unexpected(std::string());
    return value;
  }
  static std::string format(T value) {
    char buffer[64];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, result.ptr};
  }
};

// "64KiB", "10MB", "512B"; a number without a unit is refused, except 0.
template <>
struct ScalarTraits<Bytes> {
  static constexpr std::string_view kName = "a size";
  static constexpr std::string_view kExample = "64KiB";
  static constexpr std::string_view kPattern = "^(0|[0-9]+(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB))$";
  static std::expected<Bytes, std::string> parse(std::string_view text);
  static std::string format(Bytes value);
};

// "5s", "250ms", "1h30m", "2d"; 0 needs no unit.
template <>
struct ScalarTraits<Duration> {
  static constexpr std::string_view kName = "a duration";
  static constexpr std::string_view kExample = "5s";
  static constexpr std::string_view kPattern = "^(0|([0-9]+(d|h|m|s|ms))+)$";
  static std::expected<Duration, std::string> parse(std::string_view text);
  static std::string format(Duration value);
};

// "100/s", "100/min", "1000/h", "5/day".
template <>
struct ScalarTraits<Rate> {
  static constexpr std::string_view kName = "a rate";
  static constexpr std::string_view kExample = "100/min";
  static constexpr std::string_view kPattern = "^[0-9]+/(s|min|h|day)$";
  static std::expected<Rate, std::string> parse(std::string_view text);
  static std::string format(Rate value);
};

// "100B/s", "1MiB/s"; 0 needs no unit.
template <>
struct ScalarTraits<ByteRate> {
  static constexpr std::string_view kName = "bytes per second";
  static constexpr std::string_view kExample = "100B/s";
  static constexpr std::string_view kPattern = "^(0|[0-9]+(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB)/s)$";
  static std::expected<ByteRate, std::string> parse(std::string_view text);
  static std::string format(ByteRate value);
};

// Reads a scalar node's text as T; what is wrong goes to `diagnostics`.
bool expect_scalar(const text::Node& node, std::string_view name, std::string_view example,
                   Diagnostics& diagnostics);
void say_not_a(const text::Node& node, std::string_view name, std::string_view example,
               std::string message, Diagnostics& diagnostics);

template <Scalar T>
bool read_scalar(const text::Node& node, T& out, Diagnostics& diagnostics) {
  using Traits = ScalarTraits<T>;
  if (!expect_scalar(node, Traits::kName, Traits::kExample, diagnostics)) return false;
  if constexpr (Number<T> || std::same_as<T, bool>) {
    if (node.quoted) {
      diagnostics.error("must be " + std::string(Traits::kName) + "; write it without quotes");
      return false;
    }
  }
  std::expected<T, std::string> parsed = Traits::parse(node.text);
  if (!parsed) {
    say_not_a(node, Traits::kName, Traits::kExample, std::move(parsed.error()), diagnostics);
    return false;
  }
  out = *std::move(parsed);
  return true;
}

template <Scalar T>
Json scalar_to_json(const T& value) {
  if constexpr (Number<T> || std::same_as<T, bool>) {
    return value;
  } else {
    return ScalarTraits<T>::format(value);
  }
}

// {"type": "integer"} or {"type": "string", "pattern": …}
template <Scalar T>
Json scalar_schema() {
  if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (Integer<T>) {
    Json json = {{"type", "integer"}};
    if (std::unsigned_integral<T>) json["minimum"] = 0;
    return json;
  } else if constexpr (std::floating_point<T>) {
    return {{"type", "number"}};
  } else {
    // A size or duration of 0 needs no unit, so it may be a number in YAML.
    Json json = {{"type", "string"}};
    if (ScalarTraits<T>::kPattern.starts_with("^(0|")) {
      json["type"] = Json::array({"string", "integer"});
      json["maximum"] = 0;
    }
    if (!ScalarTraits<T>::kPattern.empty()) json["pattern"] = ScalarTraits<T>::kPattern;
    return json;
  }
}

}  // namespace doorward::schema
