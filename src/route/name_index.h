// NameIndex: (owner, name) -> number, built once and then only read: hosts of a table, literal
// segments below a node. Open addressing, a slot a cache line's half, short names inside the slot.
// Owner: a RouteTable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::route {

class NameIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // The number already there, or `value` now put in.
  std::uint32_t add(std::uint32_t owner, std::string_view name, std::uint32_t value);
  std::uint32_t find(std::uint32_t owner, std::string_view name) const;
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kInline = 16;
  struct alignas(32) Slot {
    std::uint32_t hash = 0;
    std::uint32_t owner = 0;
    std::uint32_t value = kNone;  // kNone: free
    std::uint32_t size = 0;
    char text[kInline] = {};  // the name, or, when longer, where it begins in pool_
  };

  bool holds(const Slot& slot, std::uint32_t hash, std::uint32_t owner,
             std::string_view name) const;
  void write_name(Slot& slot, std::string_view name);
  void grow();

  std::vector<Slot> slots_;  // size: a power of two, at most half full
  std::string pool_;
  std::size_t size_ = 0;
};

}  // namespace doorward::route
