#include "route/name_index.h"

#define XXH_INLINE_ALL
#include <cstring>
#include <xxhash.h>

namespace doorward::route {
namespace {

std::uint32_t hash_of(std::uint32_t owner, std::string_view name) {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(name.data(), name.size(), owner));
}

}  // namespace

bool NameIndex::holds(const Slot& slot, std::uint32_t hash, std::uint32_t owner,
                      std::string_view name) const {
  if (slot.hash != hash || slot.owner != owner || slot.size != name.size()) return false;
  if (name.size() <= kInline) return std::memcmp(slot.text, name.data(), name.size()) == 0;
  std::uint64_t at;
  std::memcpy(&at, slot.text, sizeof at);
  return std::memcmp(pool_.data() + at, name.data(), name.size()) == 0;
}

std::uint32_t NameIndex::find(std::uint32_t owner, std::string_view name) const {
  if (slots_.empty()) return kNone;
  const std::uint32_t hash = hash_of(owner, name);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.value == kNone) return kNone;
    if (holds(slot, hash, owner, name)) return slot.value;
  }
}

std::uint32_t NameIndex::add(std::uint32_t owner, std::string_view name, std::uint32_t value) {
  if (const std::uint32_t there = find(owner, name); there != kNone) return there;
  if (slots_.size() < 2 * (size_ + 1)) grow();
  const std::uint32_t hash = hash_of(owner, name);
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].value != kNone) i = (i + 1) & mask;
  slots_[i] = {hash, owner, value, static_cast<std::uint32_t>(name.size())};
  write_name(slots_[i], name);
  ++size_;
  return value;
}

void NameIndex::write_name(Slot& slot, std::string_view name) {
  if (name.size() <= kInline) {
    if (!name.empty()) std::memcpy(slot.text, name.data(), name.size());
    return;
  }
  const std::uint64_t at = pool_.size();
  std::memcpy(slot.text, &at, sizeof at);
  pool_ += name;
}

void NameIndex::grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.value == kNone) continue;
    std::size_t i = slot.hash & mask;
    while (slots_[i].value != kNone) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

}  // namespace doorward::route
