// HostPattern: one declared host, parsed: a name, every name below one ("*.example.com"), or any.
#pragma once

#include <compare>
#include <expected>
#include <string>
#include <string_view>

namespace doorward::route {

struct HostPattern {
  enum class Kind : std::uint8_t { exact, wildcard, any };
  Kind kind = Kind::any;
  std::string name;     // normal form; of a wildcard what follows "*."
  unsigned labels = 0;  // of a wildcard's name

  bool matches(std::string_view host) const;
  std::string text() const;  // "*.example.com"
  // Less: takes precedence. Equal names are not compared: no host is taken by two.
  int rank() const { return kind == Kind::exact ? -1000 : -static_cast<int>(labels); }
  bool operator==(const HostPattern&) const = default;
};

// The error is a clause for people.
std::expected<HostPattern, std::string> parse_host(std::string_view text);

}  // namespace doorward::route
