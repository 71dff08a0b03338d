// HeaderList: search, change and iteration, the presence set, and views that move.
#include "http/header_list.h"

#include <gtest/gtest.h>
#include <string>

#include "http/head.h"

namespace doorward::http {
namespace {

class HeaderListTest : public testing::Test {
 protected:
  std::string text() const {
    std::string all;
    for (const Header& header : list) {
      all += std::string(header.name) + "=" + std::string(header.value) + ";";
    }
    return all;
  }
  Arena arena;
  HeaderList list{arena};
};

TEST_F(HeaderListTest, FindsKnownAndUnknownNames) {
  list.add("Accept", "a");
  list.add("X-Mine", "b");
  list.add(HeaderName::host, "c");
  EXPECT_EQ(list.value(HeaderName::accept), "a");
  EXPECT_EQ(list.value("ACCEPT"), "a");
  EXPECT_EQ(list.value("x-mine"), "b");
  EXPECT_EQ(list.find("x-yours"), nullptr);
  EXPECT_EQ(list.find(HeaderName::cookie), nullptr);
  EXPECT_EQ(list.find(HeaderName::other), nullptr);
  EXPECT_TRUE(list.has(HeaderName::host));
  EXPECT_FALSE(list.has(HeaderName::cookie));
  EXPECT_EQ(list.size(), 3U);
}

TEST_F(HeaderListTest, GivesAllValuesOfAName) {
  for (std::string_view value : {"1", "2", "3"}) list.add(HeaderName::cookie, value);
  list.add("X", "4");
  std::string values;
  for (const Header& header : list.values(HeaderName::cookie)) values += header.value;
  EXPECT_EQ(values, "123");
  EXPECT_EQ(list.count(HeaderName::cookie), 3U);
  EXPECT_TRUE(list.values(HeaderName::host).empty());
}

TEST_F(HeaderListTest, SetReplacesTheFirstAndRemovesTheOthers) {
  list.add("Via", "1");
  list.add("X", "2");
  list.add("via", "3");
  list.set(HeaderName::via, "4");
  EXPECT_EQ(text(), "via=4;X=2;");
  list.set("x", "5");
  EXPECT_EQ(text(), "via=4;x=5;");
  list.set("Y", "6");
  list.set(HeaderName::age, "7");
  EXPECT_EQ(text(), "via=4;x=5;Y=6;age=7;");
  EXPECT_EQ(list.size(), 4U);
  EXPECT_TRUE(list.has(HeaderName::via));
}

TEST_F(HeaderListTest, RemoveLeavesNothingToFind) {
  list.add("Via", "1");
  list.add("X", "2");
  list.add("Via", "3");
  EXPECT_EQ(list.remove(HeaderName::via), 2U);
  EXPECT_EQ(list.remove(HeaderName::via), 0U);
  EXPECT_EQ(list.remove("x"), 1U);
  EXPECT_FALSE(list.has(HeaderName::via));
  EXPECT_TRUE(list.empty());
  EXPECT_TRUE(list.begin() == list.end());
  list.add("Via", "4");
  EXPECT_EQ(text(), "Via=4;");
}

TEST_F(HeaderListTest, RemovingOneOfTwoKeepsThePresence) {
  list.add("Via", "1");
  list.add("Via", "2");
  list.remove(*list.find(HeaderName::via));
  EXPECT_TRUE(list.has(HeaderName::via));
  EXPECT_EQ(list.value(HeaderName::via), "2");
  list.remove(*list.find(HeaderName::via));
  EXPECT_FALSE(list.has(HeaderName::via));
}

TEST_F(HeaderListTest, GrowsAndCopies) {
  for (int i = 0; i < 100; ++i) list.add("X", "y");
  list.remove(*list.begin());
  EXPECT_EQ(list.size(), 99U);
  Arena other;
  HeaderList copy = list.copy(other);
  list.clear();
  EXPECT_EQ(list.size(), 0U);
  EXPECT_EQ(copy.size(), 99U);
  copy.add("Z", "1");
  EXPECT_EQ(copy.value("z"), "1");
}

TEST_F(HeaderListTest, RebaseMovesOnlyViewsIntoTheOldBytes) {
  const std::string from = "A: b\r\n";
  const std::string to = "A: b\r\n";
  list.append({std::string_view(from).substr(0, 1), std::string_view(from).substr(3, 1), 6,
               HeaderName::other});
  list.add(HeaderName::via, "static");
  list.rebase(from.data(), from.size(), to.data());
  EXPECT_EQ(list.begin()->name.data(), to.data());
  EXPECT_EQ(list.begin()->value.data(), to.data() + 3);
  EXPECT_EQ(list.value(HeaderName::via), "static");
}

TEST_F(HeaderListTest, HopByHopFieldsGo) {
  list.add("Connection", "close, X-Hop,, x-other");
  list.add("X-Hop", "1");
  list.add("Keep-Alive", "2");
  list.add("TE", "trailers");
  list.add("Transfer-Encoding", "chunked");
  list.add("X-Other", "3");
  list.add("Upgrade", "x");
  list.add("Content-Length", "4");
  list.add("X-Stays", "5");
  remove_hop_by_hop(list);
  EXPECT_EQ(text(), "Content-Length=4;X-Stays=5;");
}

}  // namespace
}  // namespace doorward::http
