// Reading and writing IP blocks.
#include "schema/cidr.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>

namespace doorward::schema {
namespace {

constexpr unsigned kMappedBits = 96;

bool is_v4(const text::Cidr& block) {
  static constexpr std::array<std::uint8_t, 12> kPrefix = {0, 0, 0, 0, 0,    0,
                                                           0, 0, 0, 0, 0xff, 0xff};
  return block.bits >= kMappedBits &&
         std::equal(kPrefix.begin(), kPrefix.end(), block.address.begin());
}

}  // namespace

std::expected<text::Cidr, std::string> ScalarTraits<text::Cidr>::parse(std::string_view text) {
  Result<text::Cidr> block = text::Cidr::parse(text);
  if (block) return *block;
  return std::unexpected(
      fmt::format("must be {} such as {}: {}", kName, kExample, block.error().cause));
}

std::string ScalarTraits<text::Cidr>::format(const text::Cidr& block) {
  if (block == text::Cidr::unix_sockets()) return "unix";
  const bool v4 = is_v4(block);
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v4 ? AF_INET : AF_INET6, block.address.data() + (v4 ? 12 : 0), text, sizeof text);
  if (block.bits == 128) return text;
  return fmt::format("{}/{}", text, v4 ? block.bits - kMappedBits : block.bits);
}

}  // namespace doorward::schema
