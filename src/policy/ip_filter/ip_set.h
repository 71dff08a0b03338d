// IpSet: addresses and blocks as sorted, merged ranges; a lookup is a binary search over them.
// IPv4 is in it in its mapped form (::ffff:a.b.c.d). Immutable after it was made.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "text/cidr.h"

namespace doorward::policy {

class IpSet {
 public:
  IpSet() = default;
  explicit IpSet(std::span<const text::Cidr> blocks);

  bool empty() const { return ranges_.empty(); }
  std::size_t ranges() const { return ranges_.size(); }
  bool contains(const std::uint8_t (&ip)[16]) const;

 private:
  // The 128 bits as two words, most significant first.
  struct Ip {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const Ip&) const = default;
  };
  struct Range {
    Ip first, last;
  };
  static Ip read(const std::uint8_t* bytes);
  static Range range_of(const text::Cidr& block);

  std::vector<Range> ranges_;
};

}  // namespace doorward::policy
