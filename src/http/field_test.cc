// Lists, tokens, qualities, dates, methods and statuses.
#include "http/field.h"

#include <gtest/gtest.h>
#include <string>

#include "http/date.h"
#include "http/method.h"
#include "http/status.h"

namespace doorward::http {
namespace {

std::string elements(std::string_view list) {
  std::string all;
  for (std::string_view element : ListElements(list)) all += "[" + std::string(element) + "]";
  return all;
}

TEST(Field, ListsSkipEmptyElementsAndKeepQuotedCommas) {
  EXPECT_EQ(elements("a, b ,,\tc,"), "[a][b][c]");
  EXPECT_EQ(elements(""), "");
  EXPECT_EQ(elements(" , ,"), "");
  EXPECT_EQ(elements("a=\"x,\\\",y\",b"), "[a=\"x,\\\",y\"][b]");
  EXPECT_EQ(elements("a=\"open, b"), "[a=\"open, b]");
}

TEST(Field, TokensIgnoreCase) {
  EXPECT_TRUE(has_token("keep-alive, Close", "close"));
  EXPECT_FALSE(has_token("keep-alive, closed", "close"));
  EXPECT_TRUE(is_token("a!~9"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a\x80"));
}

TEST(Field, ValuesHaveNoControlBytesAndNoOuterSpace) {
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a\tb \xff"));
  EXPECT_FALSE(is_field_value(" a"));
  EXPECT_FALSE(is_field_value("a\t"));
  EXPECT_FALSE(is_field_value("a\r\nb"));
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_field_value("a\x7f"));
}

TEST(Field, QualitiesAreThousandths) {
  EXPECT_EQ(parse_weighted("gzip").quality, 1000);
  EXPECT_EQ(parse_weighted("gzip;q=0.5").quality, 500);
  EXPECT_EQ(parse_weighted("gzip ; x=1; Q=0.125").quality, 125);
  EXPECT_EQ(parse_weighted("gzip ;q=1.000").value, "gzip");
  for (std::string_view bad : {"a;q=2", "a;q=1.1", "a;q=-1", "a;q=", "a;q=0.1234", "a;q=x"}) {
    EXPECT_EQ(parse_weighted(bad).quality, 0) << bad;
  }
}

int choose(std::initializer_list<std::string_view> fields) {
  constexpr std::string_view kOffered[] = {"br", "gzip"};
  Arena arena;
  HeaderList list(arena);
  for (std::string_view field : fields) list.add(HeaderName::accept_encoding, field);
  return choose_encoding(list, kOffered);
}

TEST(Field, ChoosesAnEncoding) {
  EXPECT_EQ(choose({}), -1);
  EXPECT_EQ(choose({""}), -1);
  EXPECT_EQ(choose({"gzip, br"}), 0);
  EXPECT_EQ(choose({"gzip"}), 1);
  EXPECT_EQ(choose({"GZIP;q=0.9, br;q=0.8"}), 1);
  EXPECT_EQ(choose({"br;q=0, *"}), 1);
  EXPECT_EQ(choose({"*"}), 0);
  EXPECT_EQ(choose({"*;q=0"}), -1);
  EXPECT_EQ(choose({"identity, gzip;q=0.5"}), -1);
  EXPECT_EQ(choose({"deflate", "gzip;q=0.1"}), 1);
  EXPECT_EQ(choose({"gzip;q=0"}), -1);
}

TEST(Date, IsImfFixdate) {
  DateCache cache;
  EXPECT_EQ(cache.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(cache.at(1709210096), "Thu, 29 Feb 2024 12:34:56 GMT");
  EXPECT_EQ(cache.at(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(cache.at(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(Method, NamesAndProperties) {
  for (int i = 0; i < static_cast<int>(Method::other); ++i) {
    const auto method = static_cast<Method>(i);
    EXPECT_EQ(classify_method(to_string(method)), method);
  }
  EXPECT_EQ(classify_method("get"), Method::other);
  EXPECT_EQ(classify_method(""), Method::other);
  EXPECT_TRUE(is_safe(Method::query));
  EXPECT_FALSE(is_safe(Method::put));
  EXPECT_TRUE(is_idempotent(Method::del));
  EXPECT_FALSE(is_idempotent(Method::post));
  EXPECT_FALSE(is_idempotent(Method::other));
}

TEST(Status, HasPhrases) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(499), "Client Error");
  for (int status = 100; status < 600; ++status) EXPECT_FALSE(reason_phrase(status).empty());
  EXPECT_TRUE(has_no_content(204));
  EXPECT_TRUE(has_no_content(103));
  EXPECT_FALSE(has_no_content(200));
}

}  // namespace
}  // namespace doorward::http
