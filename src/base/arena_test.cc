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

}  // namespace
}  // namespace doorward
