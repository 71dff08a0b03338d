// The vector scan finds what the scalar one finds, for every byte at every place.
#include "codec/h1/scan.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::codec::h1 {
namespace {

TEST(Scan, AgreesWithTheScalarForm) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        const char* begin = text.data();
        ASSERT_EQ(find_control(begin, begin + size), find_control_scalar(begin, begin + size))
            << "byte " << byte << " at " << at << " of " << size;
      }
    }
  }
}

TEST(Scan, FindsTheFirst) {
  const std::string text = std::string(40, 'x') + "\r\n\r\n";
  EXPECT_EQ(find_control(text.data(), text.data() + text.size()), text.data() + 40);
}

}  // namespace
}  // namespace doorward::codec::h1
