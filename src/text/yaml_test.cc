// Places, what is refused and in which words, and the limits.
#include "text/yaml.h"

#include <gtest/gtest.h>

namespace doorward::text {
namespace {

using Parsed = std::expected<Node, std::vector<YamlError>>;

Parsed parse(std::string_view yaml, const YamlLimits& limits = {}) {
  return parse_yaml(std::make_shared<SourceFile>("a.yaml", std::string(yaml)), limits);
}

std::string told(const Parsed& parsed) {
  if (parsed) return "";
  std::string all;
  for (const YamlError& error : parsed.error()) {
    all += error.place.to_string() + ": " + error.message + "\n";
  }
  return all;
}

std::string errors(std::string_view yaml, const YamlLimits& limits = {}) {
  return told(parse(yaml, limits));
}

TEST(Yaml, KeepsThePlacesOfKeysAndValues) {
  const Node root = parse("a: 1\nb:\n  - x\n  - {k: \"v\"}\n").value();
  ASSERT_TRUE(root.is_map());
  const Member* b = root.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->place.to_string(), "a.yaml:2:1");
  EXPECT_EQ(b->value.items[0].place.to_string(), "a.yaml:3:5");
  const Member& k = b->value.items[1].members[0];
  EXPECT_EQ(k.place.to_string(), "a.yaml:4:6");
  EXPECT_EQ(k.value.place.to_string(), "a.yaml:4:9");
  EXPECT_EQ(root.find("c"), nullptr);
}

TEST(Yaml, ScalarsStayTextAndKnowTheirQuotes) {
  const Node root = parse("[off, \"off\", 007, 'x', ~, \"\"]").value();
  EXPECT_TRUE(root.items[0].is_word("off"));
  EXPECT_TRUE(root.items[1].quoted);
  EXPECT_FALSE(root.items[1].is_word("off"));
  EXPECT_EQ(root.items[2].text, "007");
  EXPECT_TRUE(root.items[3].quoted);
  EXPECT_TRUE(root.items[4].is_null());
  EXPECT_TRUE(root.items[5].is_scalar());
}

TEST(Yaml, AnEmptyTextIsNull) {
  EXPECT_TRUE(parse("").value().is_null());
  EXPECT_TRUE(parse("# only a comment\n").value().is_null());
}

TEST(Yaml, AliasesAreCopies) {
  const Node root = parse("a: &x [1, {k: v}]\nb: *x\nc: &y 5s\nd: *y\n").value();
  EXPECT_EQ(root.find("b")->value.items[1].members[0].key, "k");
  EXPECT_EQ(root.find("d")->value.text, "5s");
}

TEST(Yaml, LinesOfASource) {
  const SourceFile file("f", "one\r\ntwo\n");
  EXPECT_EQ(file.line(1), "one");
  EXPECT_EQ(file.line(2), "two");
  EXPECT_EQ(file.line(3), "");
  EXPECT_EQ(file.line(0), "");
  EXPECT_EQ(file.line(99), "");
}

TEST(YamlErrors, DoubledKeysAreAllTold) {
  EXPECT_EQ(errors("a: 1\nb: {c: 1, c: 2}\na: {x: y}\n"),
            "a.yaml:2:11: the key \"c\" is given twice; first in line 2\n"
            "a.yaml:3:1: the key \"a\" is given twice; first in line 1\n");
}

TEST(YamlErrors, MergeKeysTagsAndStrangeKeys) {
  EXPECT_EQ(errors("a: &x {k: v}\nb:\n  <<: *x\n"),
            "a.yaml:3:3: merge keys (\"<<\") are not supported; write the keys out, or give them a "
            "name and use that\n");
  EXPECT_EQ(errors("a: !!int 5\n"),
            "a.yaml:1:4: YAML tags (\"!…\") have no meaning here; leave it out\n");
  EXPECT_EQ(
      errors("? [a]\n: b\n"),
      "a.yaml:1:3: a key must be plain text; if none is meant here, the bracket is not closed\n");
  EXPECT_EQ(errors("? &x ~\n: b\n"), "a.yaml:1:3: a key is missing before the \":\"\n");
  EXPECT_EQ(errors("a: &x b\n*x : c\n"), "a.yaml:2:1: an alias cannot be a key\n");
}

TEST(YamlErrors, OneDocument) {
  EXPECT_EQ(errors("a: 1\n---\nb: 2\n"),
            "a.yaml:2:1: a second document begins here; a file holds one\n");
  EXPECT_EQ(errors("---\na: 1\n"), "");
}

TEST(YamlErrors, GrammarInWordsForWhoWroteIt) {
  EXPECT_EQ(errors("a:\n\tb: 1\n"),
            "a.yaml:2:1: a tab is used for indentation; YAML wants spaces\n");
  EXPECT_EQ(errors("a: b: c\n"),
            "a.yaml:1:5: a \":\" cannot stand here; put the text in quotes, or correct the "
            "indentation\n");
  EXPECT_EQ(
      errors("host: *.example.com\n"),
      "a.yaml:1:7: \"*\" begins an alias, and nothing has this name; put the text in quotes\n");
  EXPECT_EQ(errors("a: \"b\n"), "a.yaml:1:4: the closing quote is missing\n");
  EXPECT_EQ(errors("a: 'it''s\nb: \"c\"\n"), "a.yaml:1:4: the closing quote is missing\n");
  EXPECT_EQ(errors("a: 'it''s'\n\"b\\\"\": \"c'\"\n"), "");
  EXPECT_EQ(errors("a: [1, 2\nb: 3\n"),
            "a.yaml:1:4: a \"]\" or \",\" is missing; put text with brackets in quotes\n");
  EXPECT_EQ(errors("r:\n  - {name: all\n"),
            "a.yaml:2:5: a key must be plain text; if none is meant here, the bracket is not "
            "closed\n");
  EXPECT_EQ(errors("r:\n\t- {name: all}\n"),
            "a.yaml:2:1: a tab is used for indentation; YAML wants spaces\n");
  EXPECT_EQ(errors("a: @b\n"),
            "a.yaml:1:4: this character cannot begin a value; put the text in quotes\n");
  EXPECT_EQ(errors("a: \"\\d\"\n"),
            "a.yaml:1:7: unknown escape character: d; a backslash in double quotes is written "
            "twice, or use single quotes\n");
  EXPECT_EQ(errors("a: 1\n  b: 2\n"),
            "a.yaml:2:4: a \":\" cannot stand here; put the text in quotes, or correct the "
            "indentation\n");
}

TEST(YamlErrors, Bytes) {
  EXPECT_EQ(errors("a: \xff\n"), "a.yaml:1:4: not UTF-8 (byte 0xff); save the file as UTF-8\n");
  EXPECT_EQ(errors("a: b\nc: \xed\xa0\x80\n"),
            "a.yaml:2:4: not UTF-8 (byte 0xed); save the file as UTF-8\n");
  EXPECT_EQ(errors(std::string_view("a: \0b\n", 6)), "a.yaml:1:4: a control character (0x00)\n");
  EXPECT_EQ(errors("a: 1\n\x04: b\n"), "a.yaml:2:1: a control character (0x04)\n");
  EXPECT_EQ(errors("a: \xe2\x82\xac\n"), "");
}

TEST(YamlLimits, Depth) {
  const YamlLimits limits{.depth = 3};
  EXPECT_EQ(errors("[[[1]]]", limits), "");
  EXPECT_EQ(errors("[[[[1]]]]", limits), "a.yaml:1:4: nested too deeply: more than 3 levels\n");
  EXPECT_EQ(errors("{a: &x [[1]], b: [*x]}", limits),
            "a.yaml:1:19: nested too deeply: more than 3 levels\n");
  EXPECT_NE(errors(std::string(100'000, '[')), "");
}

TEST(YamlLimits, AliasesCountAsWhatTheyCopy) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 1; j < 10; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_NE(errors(bomb).find("too large: more than 1048576 values or 64 MiB"), std::string::npos);
  EXPECT_EQ(errors("a: &x [*x]\n"), "a.yaml:1:8: this alias stands inside of what it names\n");
}

TEST(YamlLimits, Text) {
  const YamlLimits limits{.text_bytes = 8};
  EXPECT_EQ(errors("a: 123456789", limits), "a.yaml:1:1: larger than 0 MiB\n");
  EXPECT_EQ(errors("{a: &x 123, b: *x, c: *x}", YamlLimits{.text_bytes = 30}), "");
  EXPECT_NE(errors("{a: &x 1234567, b: *x, c: *x, d: *x, e: *x, f: *x, g: *x}",
                   YamlLimits{.text_bytes = 55}),
            "");
}

Parsed merged(std::initializer_list<std::string_view> files) {
  std::vector<Node> roots;
  for (const std::string_view text : files) {
    const std::string name = std::string(1, static_cast<char>('a' + roots.size())) + ".yaml";
    roots.push_back(parse_yaml(std::make_shared<SourceFile>(name, std::string(text))).value());
  }
  return merge_yaml(std::move(roots));
}

TEST(YamlMerge, ListsAreAppendedAndMapsUnited) {
  const Node root = merged({"version: 1\nroutes: [a]\nservices: {x: {}}\n", "",
                            "version: 1\nroutes: [b, c]\nservices: {y: {}}\nadmin: off\n"})
                        .value();
  EXPECT_EQ(root.find("routes")->value.items.size(), 3U);
  EXPECT_EQ(root.find("routes")->value.items[2].place.file_name(), "c.yaml");
  EXPECT_EQ(root.find("services")->value.members.size(), 2U);
  EXPECT_TRUE(root.find("admin")->value.is_word("off"));
}

TEST(YamlMerge, WhatTwoFilesGiveIsAnErrorWithBothPlaces) {
  EXPECT_EQ(told(merged({"services:\n  x: {}\n", "services: {x: {}}\n"})),
            "b.yaml:1:12: in \"services\", the key \"x\" is given twice; first in a.yaml:2:3\n");
  EXPECT_EQ(told(merged({"version: 1\n", "version: 2\n"})),
            "b.yaml:1:1: the key \"version\" is given twice; first in a.yaml:1:1\n");
  EXPECT_EQ(told(merged({"a: []\n", "a: {}\n"})),
            "b.yaml:1:1: the key \"a\" is given twice; first in a.yaml:1:1\n");
}

TEST(YamlMerge, OnlyMapsAreFiles) {
  EXPECT_EQ(told(merged({"a: 1\n", "- b\n"})),
            "b.yaml:1:1: a configuration file is a map of keys, such as \"routes:\"\n");
}

}  // namespace
}  // namespace doorward::text
