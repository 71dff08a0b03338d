// The classifier: a perfect-enough hash over length and three characters, made at compile time,
// then one comparison by words that ignores the case of letters only.
#include "http/header_name.h"

#include <array>
#include <cstring>

namespace doorward::http {
namespace {

constexpr std::array<std::string_view, kHeaderNames> kTexts = {
    "",
#define DOORWARD_HEADER_TEXT(id, text) text,
    DOORWARD_HEADER_NAMES(DOORWARD_HEADER_TEXT)
#undef DOORWARD_HEADER_TEXT
};

constexpr std::size_t kLongest = 32;
constexpr unsigned kSlots = 2048;

// Mixes the length, the first, the middle and the last two characters, case folded roughly.
constexpr unsigned slot_of(std::string_view name, unsigned seed) {
  const auto at = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(name[i]) | 0x20u);
  };
  const std::size_t last = name.size() - 1;
  const unsigned mixed = at(0) | at(last / 2) << 8 | at(last) << 16 | at(last - last / 4) << 24;
  return ((mixed + static_cast<unsigned>(name.size()) * 0x01000193u) * seed) >> 21;
}

constexpr bool is_perfect(unsigned seed) {
  std::array<bool, kSlots> used{};
  for (std::size_t i = 1; i < kTexts.size(); ++i) {
    bool& slot = used[slot_of(kTexts[i], seed)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

// The first multiplier without a collision. When a new name makes this fail, raise the bound.
constexpr unsigned find_seed() {
  unsigned seed = 0x9e3779b1u;
  for (int i = 0; i < 3000; ++i, seed = seed * 1664525u + 1013904223u) {
    if (is_perfect(seed | 1u)) return seed | 1u;
  }
  return 0;
}

constexpr unsigned kSeed = find_seed();
static_assert(kSeed != 0, "no multiplier without collisions: change slot_of");

constexpr auto kIds = [] {
  std::array<std::uint8_t, kSlots> table{};
  for (std::size_t i = 1; i < kTexts.size(); ++i) {
    table[slot_of(kTexts[i], kSeed)] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

struct Padded {
  char text[kLongest];
};
constexpr auto kPadded = [] {
  std::array<Padded, kHeaderNames> table{};
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    for (std::size_t k = 0; k < kTexts[i].size(); ++k) table[i].text[k] = kTexts[i][k];
  }
  return table;
}();
constexpr auto kSizes = [] {
  std::array<std::uint8_t, kHeaderNames> table{};
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    table[i] = static_cast<std::uint8_t>(kTexts[i].size());
  }
  return table;
}();

template <class Word>
bool same_word(const char* name, const char* lower) {
  Word a;
  Word b;
  std::memcpy(&a, name, sizeof a);
  std::memcpy(&b, lower, sizeof b);
  // Letters (bit 6 set in the lower-case name) may come in either case; the rest must be equal.
  const Word letters = static_cast<Word>((b & static_cast<Word>(0x4040404040404040u)) >> 1);
  return (a | letters) == b;
}

bool same_name(const char* name, const char* lower, std::size_t size) {
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (!same_word<std::uint64_t>(name + i, lower + i)) return false;
    }
    return same_word<std::uint64_t>(name + size - 8, lower + size - 8);
  }
  if (size >= 4) {
    return same_word<std::uint32_t>(name, lower) &&
           same_word<std::uint32_t>(name + size - 4, lower + size - 4);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (!same_word<std::uint8_t>(name + i, lower + i)) return false;
  }
  return true;
}

}  // namespace

HeaderName classify(std::string_view name) {
  if (name.empty() || name.size() > kLongest) return HeaderName::other;
  const std::uint8_t id = kIds[slot_of(name, kSeed)];
  if (kSizes[id] != name.size()) return HeaderName::other;
  if (!same_name(name.data(), kPadded[id].text, name.size())) return HeaderName::other;
  return static_cast<HeaderName>(id);
}

std::string_view canonical(HeaderName name) { return kTexts[static_cast<std::size_t>(name)]; }

}  // namespace doorward::http
