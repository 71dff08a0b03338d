// The vector scans find what the scalar ones find, for every byte at every place, and at every
// distance from both ends of the memory.
#include "codec/h1/scan.h"

#include <gtest/gtest.h>
#include <memory>

namespace doorward::codec::h1 {
namespace {

using Find = const char* (*)(const char*, const char*, const char*);

void check_all_places(Find find, bool (*stops)(char)) {
  for (std::ptrdiff_t size = 0; size < 36; ++size) {
    // Exactly so large, so that a sanitizer sees a read outside.
    const auto room = std::make_unique<char[]>(static_cast<std::size_t>(size));
    std::fill(room.get(), room.get() + size, 'a');
    const char* begin = room.get();
    const char* end = begin + size;
    for (std::ptrdiff_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        room[static_cast<std::size_t>(place)] = static_cast<char>(byte);
        for (std::ptrdiff_t from : {std::ptrdiff_t{0}, place / 2, place, place + 1, size}) {
          ASSERT_EQ(find(begin, begin + from, end) - begin,
                    find_scalar(begin + from, end, stops) - begin)
              << "byte " << byte << " at " << place << " of " << size << " from " << from;
        }
      }
      room[static_cast<std::size_t>(place)] = 'a';
    }
  }
}

TEST(Scan, ControlAgreesWithTheScalarForm) { check_all_places(find_control, is_control); }

TEST(Scan, TargetAgreesWithTheScalarForm) { check_all_places(find_target_stop, stops_target); }

TEST(Scan, NameAgreesWithTheScalarForm) {
  check_all_places(find_name_end, [](char c) { return !http::is_token_character(c); });
}

TEST(Scan, FindsTheFirst) {
  const std::string text = std::string(40, 'x') + "\r\n\r\n";
  const char* begin = text.data();
  EXPECT_EQ(find_control(begin, begin, begin + text.size()), begin + 40);
}

}  // namespace
}  // namespace doorward::codec::h1
