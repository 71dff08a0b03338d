#include "base/arena.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward {
namespace {

TEST(Arena, TakesTheFirstBlockBeforeTheHeap) {
  alignas(16) std::byte first[64];
  Arena arena(first, sizeof first);
  char* at = arena.bytes(10);
  EXPECT_EQ(static_cast<void*>(at), static_cast<void*>(first));
}

TEST(Arena, GrowsBeyondTheFirstBlock) {
  alignas(16) std::byte first[16];
  Arena arena(first, sizeof first);
  const std::string text(10'000, 'x');
  EXPECT_EQ(arena.copy(text), text);
  EXPECT_EQ(arena.join("a", std::string_view(), "bc"), "abc");
}

TEST(Arena, RunsDestructorsInReverseOnReset) {
  std::string order;
  struct Mark {
    std::string& order;
    char name;
    ~Mark() { order += name; }
  };
  Arena arena;
  arena.make<Mark>(order, 'a');
  arena.make<Mark>(order, 'b');
  arena.reset();
  EXPECT_EQ(order, "ba");
}

#if __has_feature(address_sanitizer)
TEST(Arena, OnlyWhatIsAllocatedMayBeTouched) {
  alignas(16) std::byte first[64];
  {
    Arena arena(first, sizeof first);
    const char* small = arena.bytes(16);
    EXPECT_FALSE(__asan_address_is_poisoned(small + 15));
    EXPECT_TRUE(__asan_address_is_poisoned(small + 16));
    const char* large = arena.bytes(100);
    EXPECT_FALSE(__asan_address_is_poisoned(large + 99));
    EXPECT_TRUE(__asan_address_is_poisoned(large + 104));
    arena.reset();
    EXPECT_TRUE(__asan_address_is_poisoned(small));
  }
  EXPECT_FALSE(__asan_address_is_poisoned(first));
}
#endif

}  // namespace
}  // namespace doorward
