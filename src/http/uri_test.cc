#include "http/uri.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace doorward::http {
namespace {

std::string normal(std::string_view path) {
  Arena arena;
  auto result = normalize_path(path, arena);
  return result ? std::string(*result) : "! " + std::string(to_string(result.error()));
}

std::string host(std::string_view authority) {
  Arena arena;
  auto result = normalize_host(authority, arena);
  if (!result) return "! " + std::string(to_string(result.error()));
  return std::string(result->host) + (result->port ? " " + std::to_string(result->port) : "");
}

std::string refusal(std::string_view target) {
  auto result = split_target(target);
  return result ? "" : std::string(to_string(result.error()));
}

TEST(Target, SplitsOriginForm) {
  auto target = *split_target("/a/b?x=1?y");
  EXPECT_EQ(target.form, TargetForm::origin);
  EXPECT_EQ(target.path, "/a/b");
  EXPECT_EQ(target.query, "x=1?y");
  EXPECT_TRUE(target.has_query);
  EXPECT_FALSE(split_target("/a")->has_query);
  EXPECT_TRUE(split_target("/a?")->has_query);
}

TEST(Target, SplitsAbsoluteForm) {
  auto target = *split_target("HTTP://Example.com:80/a?b");
  EXPECT_EQ(target.form, TargetForm::absolute);
  EXPECT_EQ(target.scheme, "HTTP");
  EXPECT_EQ(target.authority, "Example.com:80");
  EXPECT_EQ(target.path, "/a");
  EXPECT_EQ(target.query, "b");
  auto bare = *split_target("http://h?q");
  EXPECT_EQ(bare.authority, "h");
  EXPECT_EQ(bare.path, "/");
  EXPECT_TRUE(bare.path_was_empty);
  EXPECT_EQ(bare.query, "q");
}

TEST(Target, KnowsTheAsterisk) {
  EXPECT_EQ(split_target("*")->form, TargetForm::asterisk);
  EXPECT_EQ(split_target("*")->path, "*");
}

TEST(Target, RefusesWithAStableCode) {
  EXPECT_EQ(refusal(""), "target_invalid");
  EXPECT_EQ(refusal("a/b"), "target_invalid");
  EXPECT_EQ(refusal("example.com:443"), "target_invalid");
  EXPECT_EQ(refusal("**"), "target_invalid");
  EXPECT_EQ(refusal("/a#b"), "target_fragment");
  EXPECT_EQ(refusal("/a b"), "target_character");
  EXPECT_EQ(refusal("/\x7f"), "target_character");
  EXPECT_EQ(refusal("/\xc3\xa9"), "target_character");
  EXPECT_EQ(refusal(std::string_view("/a\0b", 4)), "target_character");
  EXPECT_EQ(refusal("/a?\r\n"), "target_character");
  EXPECT_EQ(refusal("ftp://h/"), "target_scheme");
  EXPECT_EQ(refusal("http://u@h/"), "target_userinfo");
  EXPECT_EQ(refusal("http:///a"), "host_missing");
}

TEST(Target, EveryRefusalHasItsOwnNameAndSentence) {
  std::set<std::string_view> names, sentences;
  for (unsigned i = 0; i < static_cast<unsigned>(UriRefusal::count_); ++i) {
    names.insert(to_string(static_cast<UriRefusal>(i)));
    sentences.insert(sentence(static_cast<UriRefusal>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<unsigned>(UriRefusal::count_));
  EXPECT_EQ(sentences.size(), names.size());
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(to_string(UriRefusal::host_port_invalid), "host_port_invalid");
}

TEST(Path, ReturnsWhatIsNormalUntouched) {
  Arena arena;
  const std::string long_path = "/" + std::string(300, 'a') + "/b";
  for (std::string_view path :
       {std::string_view("/"), std::string_view("/a"), std::string_view("/orders/123456"),
        std::string_view("/a/b/c/"), std::string_view("/.well-known/x"),
        std::string_view("/a/...b"), std::string_view("/%20"), std::string_view("/a%C3%A9/caf"),
        std::string_view(long_path), std::string_view("/a/b.c/d-e_f~g!$&'()*+,;=:@")}) {
    auto result = normalize_path(path, arena);
    ASSERT_TRUE(result) << path;
    EXPECT_EQ(result->data(), path.data()) << path;
    EXPECT_EQ(result->size(), path.size());
  }
}

TEST(Path, DecodesUnreservedAndRaisesHexDigits) {
  EXPECT_EQ(normal("/%61%7E%2d"), "/a~-");
  EXPECT_EQ(normal("/%c3%a9"), "/%C3%A9");
  EXPECT_EQ(normal("/%2541"), "/%2541");
}

TEST(Path, MergesSlashesAndResolvesDots) {
  EXPECT_EQ(normal("//"), "/");
  EXPECT_EQ(normal("/a//b///"), "/a/b/");
  EXPECT_EQ(normal("/a/./b/."), "/a/b/");
  EXPECT_EQ(normal("/a/b/.."), "/a/");
  EXPECT_EQ(normal("/a/b/../../c"), "/c");
  EXPECT_EQ(normal("/a/%2e%2E/b"), "/b");
  EXPECT_EQ(normal("/a//../b"), "/b");
  EXPECT_EQ(normal("/a/.."), "/");
  EXPECT_EQ(normal("/."), "/");
  EXPECT_EQ(normal("/a/.../b"), "/a/.../b");
}

TEST(Path, RefusesWithAStableCode) {
  EXPECT_EQ(normal("/.."), "! path_above_root");
  EXPECT_EQ(normal("/a/../../b"), "! path_above_root");
  EXPECT_EQ(normal("/x/..%2fadmin"), "! path_encoded_slash");
  EXPECT_EQ(normal("/a%2F"), "! path_encoded_slash");
  EXPECT_EQ(normal("/a%5c"), "! path_encoded_backslash");
  EXPECT_EQ(normal("/a\\b"), "! path_backslash");
  EXPECT_EQ(normal("/%00"), "! path_encoded_null");
  EXPECT_EQ(normal("/%"), "! path_percent_invalid");
  EXPECT_EQ(normal("/%4"), "! path_percent_invalid");
  EXPECT_EQ(normal("/%4g/long enough not"), "! path_percent_invalid");
  EXPECT_EQ(normal("/a b"), "! target_character");
  EXPECT_EQ(normal("/a#"), "! target_fragment");
  EXPECT_EQ(normal(""), "! target_invalid");
  EXPECT_EQ(normal("a"), "! target_invalid");
  EXPECT_EQ(normal("*"), "! target_invalid");
}

// The fast scan works in blocks: one odd byte at each place of each length must be seen.
TEST(Path, SeesAnOddByteAtEveryPlace) {
  for (std::size_t size = 2; size < 70; ++size) {
    for (std::size_t at = 1; at < size; ++at) {
      for (char odd : {'%', '\\', '#', ' ', '\x7f', '\x80'}) {
        std::string path = "/" + std::string(size - 1, 'z');
        path[at] = odd;
        EXPECT_EQ(normal(path).substr(0, 2), "! ") << size << " " << at << " " << odd;
      }
      if (at == 1) continue;  // beside the first slash
      std::string path = "/" + std::string(size - 1, 'z');
      path[at] = '/';
      path.insert(at, 1, '/');
      EXPECT_EQ(normal(path).size(), size) << path;
    }
  }
}

TEST(Host, LowersAndSplits) {
  EXPECT_EQ(host("Example.COM:8080"), "example.com 8080");
  EXPECT_EQ(host("example.com."), "example.com");
  EXPECT_EQ(host("example.com.:80"), "example.com 80");
  EXPECT_EQ(host("a_b-c.d"), "a_b-c.d");
  EXPECT_EQ(host("127.0.0.1:1"), "127.0.0.1 1");
  EXPECT_EQ(host("h:"), "h");
  EXPECT_EQ(host("[2001:DB8:0:0::1]:443"), "[2001:db8::1] 443");
  EXPECT_EQ(host("[::1]"), "[::1]");
}

TEST(Host, ReturnsWhatIsNormalUntouched) {
  Arena arena;
  const std::string_view text = "api.example.com:80";
  EXPECT_EQ(normalize_host(text, arena)->host.data(), text.data());
}

TEST(Host, Refuses) {
  EXPECT_EQ(host(""), "! host_missing");
  EXPECT_EQ(host(":80"), "! host_missing");
  for (const char* bad : {".", "..", ".a", "a..b", "a b", "a/b", "a@b", "a,b", "a%41", "\xc3\xa9",
                          "[::1", "[::1]x", "[1.2.3.4]", "[]", "[fe80::1%eth0]", "::1", "[v1.x]"}) {
    EXPECT_TRUE(host(bad).starts_with("! host_")) << bad << " " << host(bad);
  }
  EXPECT_EQ(host(std::string(64, 'a')), "! host_invalid");
  EXPECT_EQ(host(std::string(63, 'a')), std::string(63, 'a'));
  std::string labels;
  for (int i = 0; i < 127; ++i) labels += "a.";
  EXPECT_EQ(host(labels + "aa"), "! host_invalid");
  EXPECT_EQ(host("h:0"), "! host_port_invalid");
  EXPECT_EQ(host("h:65536"), "! host_port_invalid");
  EXPECT_EQ(host("h:8a"), "! host_port_invalid");
  EXPECT_EQ(host("h:80:80"), "! host_port_invalid");
  EXPECT_EQ(host("h:000080"), "! host_port_invalid");
}

TEST(Location, IsAPlaceToGoTo) {
  Arena arena;
  for (const char* good : {"/", "/a?b#c", "a/b", "?q", "#top", "//h.test/a", "http://h.test",
                           "HTTPS://h.test:8443/a?b=|{}\"%zz", "https://[::1]:1/", "http://h?x",
                           "myapp://callback", "mailto:a@b.test"}) {
    EXPECT_TRUE(is_location(good, arena)) << good;
  }
  for (const char* bad : {"", "http:///", "http://", "https://?q", "//", "http://a b/", "/a b",
                          "http://u@h.test/", "http://h.test:0/", "http://h_.test:x/", "/\t", "/a\n",
                          "/\xc3\xa9", "/\x7f"}) {
    EXPECT_FALSE(is_location(bad, arena)) << bad;
  }
}

}  // namespace
}  // namespace doorward::http
