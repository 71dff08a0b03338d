// An IP block as a setting: "10.0.0.0/8", "2001:db8::/32", one address, or "unix".
#pragma once

#include "schema/scalar.h"
#include "text/cidr.h"

namespace doorward::schema {

template <>
struct ScalarTraits<text::Cidr> {
  static constexpr std::string_view kName = "an IP address or block";
  static constexpr std::string_view kExample = "10.0.0.0/8";
  static constexpr std::string_view kPattern = "^([0-9a-fA-F:.]+(/[0-9]{1,3})?|unix)$";
  static std::expected<text::Cidr, std::string> parse(std::string_view text);
  static std::string format(const text::Cidr& block);
};

}  // namespace doorward::schema
