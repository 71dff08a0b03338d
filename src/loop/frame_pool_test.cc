#include "loop/frame_pool.h"

#include <cstring>
#include <gtest/gtest.h>
#include <malloc.h>
#include <thread>
#include <vector>

namespace doorward::loop {
namespace {

TEST(FramePoolTest, AFrameIsUsedAgainForItsSizeClass) {
  void* frame = FramePool::allocate(100);
  FramePool::free(frame, 100);
  void* again = FramePool::allocate(128);
  EXPECT_EQ(again, frame);
  FramePool::free(again, 128);
}

TEST(FramePoolTest, AFrameOfAnotherSizeIsAnotherOne) {
  void* frame = FramePool::allocate(100);
  FramePool::free(frame, 100);
  void* larger = FramePool::allocate(129);
  EXPECT_NE(larger, frame);
  std::memset(larger, 1, 129);
  FramePool::free(larger, 129);
}

TEST(FramePoolTest, ALargeFrameComesFromTheHeap) {
  for (const std::size_t size : {FramePool::kLargest, FramePool::kLargest + 1, 1UL << 20}) {
    void* frame = FramePool::allocate(size);
    std::memset(frame, 1, size);
    EXPECT_GE(malloc_usable_size(frame), size);
    FramePool::free(frame, size);
  }
}

// LeakSanitizer fails the program when this does not hold.
TEST(FramePoolTest, AThreadThatEndsGivesItsFramesBack) {
  std::thread([] {
    std::vector<void*> frames;
    for (int i = 0; i < 100; ++i) frames.push_back(FramePool::allocate(200));
    for (void* frame : frames) FramePool::free(frame, 200);
  }).join();
}

}  // namespace
}  // namespace doorward::loop
