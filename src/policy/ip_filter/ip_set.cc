// Building and searching the ranges.
#include "policy/ip_filter/ip_set.h"

#include <algorithm>

namespace doorward::policy {

IpSet::Ip IpSet::read(const std::uint8_t* bytes) {
  Ip ip;
  for (int i = 0; i < 8; ++i) ip.high = ip.high << 8 | bytes[i];
  for (int i = 8; i < 16; ++i) ip.low = ip.low << 8 | bytes[i];
  return ip;
}

IpSet::Range IpSet::range_of(const text::Cidr& block) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const unsigned bits = block.bits;
  const Ip first = read(block.address.data());
  const std::uint64_t below_high = bits >= 64 ? 0 : kAll >> bits;
  const std::uint64_t below_low = bits <= 64 ? kAll : bits == 128 ? 0 : kAll >> (bits - 64);
  return {first, {first.high | below_high, first.low | below_low}};
}

// Blocks either nest or are apart, so that merging means dropping what lies inside another.
IpSet::IpSet(std::span<const text::Cidr> blocks) {
  std::vector<Range> all;
  for (const text::Cidr& block : blocks) all.push_back(range_of(block));
  std::ranges::sort(all, [](const Range& a, const Range& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  for (const Range& range : all) {
    if (ranges_.empty() || range.last > ranges_.back().last) ranges_.push_back(range);
  }
}

bool IpSet::contains(const std::uint8_t (&ip)[16]) const {
  const Ip wanted = read(ip);
  auto after = std::ranges::upper_bound(ranges_, wanted, {}, &Range::first);
  return after != ranges_.begin() && wanted <= std::prev(after)->last;
}

}  // namespace doorward::policy
