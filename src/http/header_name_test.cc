// The classifier knows every listed name in any case and nothing else.
#include "http/header_name.h"

#include <cctype>
#include <gtest/gtest.h>
#include <string>

namespace doorward::http {
namespace {

TEST(HeaderName, KnowsEveryNameInAnyCase) {
  for (unsigned i = 1; i < kHeaderNames; ++i) {
    const auto id = static_cast<HeaderName>(i);
    std::string name(canonical(id));
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(classify(name), id) << name;
    for (std::size_t k = 0; k < name.size(); k += 2) {
      name[k] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[k])));
    }
    EXPECT_EQ(classify(name), id) << name;
  }
}

TEST(HeaderName, OneWrongByteIsAnotherName) {
  for (unsigned i = 1; i < kHeaderNames; ++i) {
    const auto id = static_cast<HeaderName>(i);
    const std::string name(canonical(id));
    for (std::size_t k = 0; k < name.size(); ++k) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string other = name;
        other[k] = static_cast<char>(other[k] ^ (1 << bit));
        const bool only_case = bit == 5 && std::isalpha(static_cast<unsigned char>(name[k])) != 0;
        EXPECT_EQ(classify(other) == id, only_case) << other;
      }
    }
    EXPECT_NE(classify(name + "x"), id);
    EXPECT_NE(classify(name.substr(1)), id);
  }
}

TEST(HeaderName, UnknownAndEmptyAreOther) {
  EXPECT_EQ(classify(""), HeaderName::other);
  EXPECT_EQ(classify("x-nobody-knows"), HeaderName::other);
  EXPECT_EQ(classify(std::string(300, 'a')), HeaderName::other);
  EXPECT_EQ(canonical(HeaderName::other), "");
}

}  // namespace
}  // namespace doorward::http
