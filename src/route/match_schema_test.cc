#include "route/match_schema.h"

#include <gtest/gtest.h>

#include "schema/test_config.h"

namespace doorward::route {
namespace {

using Kind = ValueMatch::Kind;

Match read(std::string_view yaml) {
  Match out;
  EXPECT_EQ(schema::errors_of(kMatchSchema, yaml, out), "");
  return out;
}
std::string errors(std::string_view yaml) {
  Match out;
  return schema::errors_of(kMatchSchema, yaml, out);
}

TEST(MatchSchema, ReadsEveryForm) {
  const Match match = read(
      "host: api.example.com\n"
      "path: [/a/**, {regex: '/v[0-9]+'}]\n"
      "method: GET\n"
      "header: {x-version: 2, x-b: {present: true}, x-c: {absent: true}, x-d: {prefix: b}, "
      "x-e: {regex: '^v'}, x-f: {present: false}}\n"
      "query: {page: \"1\"}\n"
      "cookie: {beta: yes}\n"
      "client: [10.0.0.0/8, '::1']\n"
      "tls: {sni: '*.example', client_subject: 'CN=a', client_name: ['DNS:a', 'URI:b:*'],\n"
      "      client_fingerprint: 'AB:CD', client_certificate: true}\n");
  const Match expected{.hosts = {"api.example.com"},
                       .paths = {{"/a/**"}, {"/v[0-9]+", true}},
                       .methods = {"GET"},
                       .headers = {{"x-version", {Kind::equals, "2"}},
                                   {"x-b", {Kind::present, ""}},
                                   {"x-c", {Kind::absent, ""}},
                                   {"x-d", {Kind::prefix, "b"}},
                                   {"x-e", {Kind::regex, "^v"}},
                                   {"x-f", {Kind::absent, ""}}},
                       .queries = {{"page", {Kind::equals, "1"}}},
                       .cookies = {{"beta", {Kind::equals, "yes"}}},
                       .clients = {"10.0.0.0/8", "::1"},
                       .tls = {.snis = {"*.example"},
                               .subjects = {"CN=a"},
                               .names = {"DNS:a", "URI:b:*"},
                               .fingerprints = {"AB:CD"},
                               .certificate = true}};
  EXPECT_EQ(match, expected);
}

TEST(MatchSchema, WritesWhatItReads) {
  const Match match = read("path: [/a, {regex: b}]\nheader: {x: '1', y: {absent: true}}\n");
  EXPECT_EQ(kMatchSchema.to_json(match)["path"].dump(), R"(["/a",{"regex":"b"}])");
  EXPECT_EQ(kMatchSchema.to_json(match)["header"].dump(), R"({"x":"1","y":{"absent":true}})");
}

TEST(MatchSchema, NamesWhatIsWrongWithItsPlace) {
  EXPECT_NE(errors("hots: a\n").find("host"), std::string::npos);
  EXPECT_NE(errors("path: {regx: a}\n").find("regex"), std::string::npos);
  EXPECT_NE(
      errors("header: {x-a: {prefix: a, regex: b}}\n").find("header.x-a: must be a value, or"),
      std::string::npos);
  EXPECT_NE(errors("header: {x-a: {preset: true}}\n").find("present"), std::string::npos);
  EXPECT_NE(errors("header: {x-a: {present: 7}}\n").find("header.x-a.present: "),
            std::string::npos);
  EXPECT_NE(errors("tls: {sin: a}\n").find("sni"), std::string::npos);
  EXPECT_NE(errors("header: x\n"), "");
  EXPECT_NE(errors("path: [[a]]\n"), "");
}

TEST(MatchSchema, DescribesItselfAsJsonSchema) {
  schema::Json definitions = schema::Json::object();
  const schema::Json json = kMatchSchema.json_schema(definitions);
  EXPECT_TRUE(json["properties"].contains("client"));
  EXPECT_TRUE(definitions.contains("value_match"));
}

}  // namespace
}  // namespace doorward::route
