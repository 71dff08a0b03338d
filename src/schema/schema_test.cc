// Every form that a setting may have, what it gives, and each error with its exact text.
#include "schema/schema.h"

#include <gtest/gtest.h>

#include "schema/any_schema.h"
#include "schema/test_config.h"

namespace doorward::schema {
namespace {

using namespace std::chrono_literals;

struct SizeLimitConfig {
  Bytes max;
};

inline constexpr auto kSizeLimitSchema = schema<SizeLimitConfig>(
    "size_limit", "Refuses requests whose body is larger than a limit.",
    field("max", &SizeLimitConfig::max, "Largest body allowed.", default_is(1_MiB), at_least(1_B)),
    example("max: 5MiB"));

enum class Balance : std::uint8_t { round_robin, least_requests };

struct Timeouts {
  Duration connect = 2s;
  Duration total = 0s;
};
inline constexpr auto kTimeoutsSchema =
    schema<Timeouts>("timeouts", "How long to wait.",
                     field("connect", &Timeouts::connect, "For a connection.", at_least(1ms)),
                     field("total", &Timeouts::total, "For all of it.", at_least(1s), at_most(1h),
                           zero_means("no limit")));

struct Endpoint {
  std::string url;
  std::uint16_t weight = 1;
};
inline constexpr auto kEndpointSchema = schema<Endpoint>(
    "endpoint", "One address.",
    field("url", &Endpoint::url, "Where it is.", required(), is(kHttpUrl)),
    field("weight", &Endpoint::weight, "Its share.", at_least(1), at_most(100)), stands_for("url"));

struct Admin {
  std::string address;
  std::string token;
};
inline constexpr auto kAdminSchema = schema<Admin>(
    "admin", "The admin listener.",
    field("address", &Admin::address, "Where it listens.", default_is("127.0.0.1:9901"),
          is(kHostPort)),
    field("token", &Admin::token, "What its clients must show.", secret(), length(8, 64)));

struct Value {
  std::string equal;
  bool present = false;
};
std::expected<Value, std::string> value_of(std::string_view text) {
  if (text.empty()) return std::unexpected("must not be empty");
  return Value{std::string(text), false};
}
inline constexpr auto kValueSchema = schema<Value>(
    "value", "What a header must be.", field("present", &Value::present, "It must be there."),
    short_form("text", "v2", &value_of));

struct Reply {
  int status = 200;
};
inline constexpr auto kReplySchema =
    schema<Reply>("respond", "A fixed response.",
                  field("status", &Reply::status, "Its status.", at_least(200), at_most(599)));

struct Everything {
  std::int32_t level = 5;
  double ratio = 0.5;
  bool on = true;
  Balance balance = Balance::round_robin;
  ByteRate min_rate{100};
  Rate limit{100, 60s};
  Timeouts timeouts;
  std::vector<Endpoint> endpoints;
  std::vector<std::string> hosts;
  std::vector<Duration> waits{1s, 2s};
  std::map<std::string, std::string> headers;
  std::vector<std::pair<std::string, Value>> match;
  std::vector<Keyed<Timeouts>> services;
  std::optional<Admin> admin = Admin{};
  std::optional<std::string> service;
  std::optional<Reply> respond;
};

void check_everything(const Everything& value, Diagnostics& diagnostics) {
  if (value.level > 8 && !value.on) {
    diagnostics.error_at("level", "must be at most 8 when \"on\" is false");
  }
  if (value.level == 0) diagnostics.warning_at("level", "is 0, which does nothing");
}

std::string even(std::int32_t value) { return value % 2 == 1 && value > 5 ? "must be even" : ""; }

inline constexpr auto kEverythingSchema = schema<Everything>(
    "everything", "All forms.",
    field("level", &Everything::level, "A level.", at_least(0), at_most(10), checked(&even)),
    field("ratio", &Everything::ratio, "A ratio.", at_most(1.0)),
    field("on", &Everything::on, "On."),
    field("balance", &Everything::balance, "How endpoints are chosen.",
          names<Balance>({{"round_robin", Balance::round_robin},
                          {"least_requests", Balance::least_requests}})),
    field("min_rate", &Everything::min_rate, "Slowest.", zero_means("off")),
    field("limit", &Everything::limit, "Most."),
    field("timeouts", &Everything::timeouts, "Waits.", of(kTimeoutsSchema)),
    field("endpoints", &Everything::endpoints, "Where.", of(kEndpointSchema), count(1, 3)),
    field("hosts", &Everything::hosts, "Hosts.", one_or_many(), is(kHost)),
    field("waits", &Everything::waits, "Waits between tries."),
    field("headers", &Everything::headers, "Headers.", keys_are(kHeaderName), is(kHeaderValue)),
    field("match", &Everything::match, "Conditions.", of(kValueSchema)),
    field("services", &Everything::services, "Services.", of(kTimeoutsSchema)),
    field("admin", &Everything::admin, "Admin.", of(kAdminSchema), or_off()),
    field("service", &Everything::service, "A service's name."),
    field("respond", &Everything::respond, "A fixed response.", of(kReplySchema)),
    at_most_one_of("service", "respond"), check(&check_everything));

std::string errors(std::string_view yaml) {
  Everything out;
  return errors_of(kEverythingSchema, yaml, out);
}

Everything read(std::string_view yaml) {
  Everything out;
  EXPECT_EQ(errors_of(kEverythingSchema, yaml, out), "");
  return out;
}

TEST(Schema, OfStyleReadsAValueAndHasADefault) {
  SizeLimitConfig config;
  EXPECT_EQ(errors_of(kSizeLimitSchema, "max: 5MiB", config), "");
  EXPECT_EQ(config.max, 5_MiB);
  EXPECT_EQ(kSizeLimitSchema.defaults().max, 1_MiB);
  EXPECT_EQ(errors_of(kSizeLimitSchema, "", config), "");
  EXPECT_EQ(config.max, 1_MiB);
  EXPECT_EQ(errors_of(kSizeLimitSchema, "max: 0", config),
            "1:6: max: must be at least 1B, not 0\n");
}

TEST(Schema, KeepsDefaultsOfWhatIsNotGiven) {
  const Everything value = read("{}");
  EXPECT_EQ(value.level, 5);
  EXPECT_EQ(value.timeouts.connect, 2s);
  ASSERT_TRUE(value.admin.has_value());
  EXPECT_EQ(value.admin->address, "127.0.0.1:9901");
  EXPECT_EQ(value.waits.size(), 2U);
}

TEST(Schema, ReadsScalars) {
  const Everything value = read(
      "{level: 8, ratio: 0.25, on: false, balance: least_requests, min_rate: 1KiB/s, limit: 5/h}");
  EXPECT_EQ(value.level, 8);
  EXPECT_EQ(value.ratio, 0.25);
  EXPECT_FALSE(value.on);
  EXPECT_EQ(value.balance, Balance::least_requests);
  EXPECT_EQ(value.min_rate.bytes_per_second, 1024U);
  EXPECT_EQ(value.limit, (Rate{5, 1h}));
}

TEST(Schema, ReadsListsMapsAndSections) {
  const Everything value = read(R"(
timeouts: {total: 0}
endpoints: ["http://a:1", {url: "https://b", weight: 2}]
hosts: api.example.com
waits: []
headers: {x-b: "1", x-a: 2}
match: {x-v: v2, x-d: {present: true}}
services:
  orders: {connect: 5s}
  users:
)");
  ASSERT_EQ(value.endpoints.size(), 2U);
  EXPECT_EQ(value.endpoints[0].url, "http://a:1");
  EXPECT_EQ(value.endpoints[1].weight, 2);
  EXPECT_EQ(value.hosts, std::vector<std::string>{"api.example.com"});
  EXPECT_TRUE(value.waits.empty());
  EXPECT_EQ(value.headers.at("x-a"), "2");
  EXPECT_EQ(value.match[0].second.equal, "v2");
  EXPECT_TRUE(value.match[1].second.present);
  EXPECT_EQ(value.services[0].key, "orders");
  EXPECT_EQ(value.services[0].place.line, 9U);
  EXPECT_EQ(value.services[0].value.connect, 5s);
  EXPECT_EQ(value.services[1].value.connect, 2s);
}

TEST(Schema, OffEmptiesAnOptional) {
  EXPECT_FALSE(read("admin: off").admin.has_value());
  EXPECT_EQ(read("admin: {address: \":1\"}").admin->address, ":1");
  EXPECT_EQ(errors("admin: \"off\""),
            "1:8: admin: must be a map with the keys address, token, not \"off\"\n");
}

TEST(SchemaErrors, UnknownKeys) {
  EXPECT_EQ(errors("levle: 1"), "1:1: levle: unknown key; did you mean \"level\"?\n");
  EXPECT_EQ(errors("timeouts: {zebra: 1s}"),
            "1:12: timeouts.zebra: unknown key; there are connect, total\n");
  SizeLimitConfig config;
  EXPECT_EQ(errors_of(kSizeLimitSchema, "zebra: 1", config),
            "1:1: zebra: unknown key; the only one is max\n");
}

// A typo is told once: what it stands for is not missing beside it.
TEST(SchemaErrors, AMisspeltKeyIsNotMissingToo) {
  EXPECT_EQ(errors("endpoints: [{ulr: \"http://a\"}]"),
            "1:14: endpoints[0].ulr: unknown key; did you mean \"url\"?\n");
  EXPECT_NE(errors("endpoints: [{zebra: 1}]").find("url: is missing"), std::string::npos);
}

TEST(SchemaErrors, MissingAndEmpty) {
  EXPECT_EQ(errors("endpoints: [{weight: 1}]"),
            "1:13: endpoints[0].url: is missing: Where it is.\n");
  EXPECT_EQ(errors("endpoints: []"), "1:12: endpoints: must not be empty\n");
  EXPECT_EQ(errors("endpoints:"), "1:1: endpoints: has no value; an empty list is written []\n");
  EXPECT_EQ(errors("endpoints: [\"http://a\", \"http://a\", \"http://a\", \"http://a\"]"),
            "1:12: endpoints: must have at most 3 items, has 4\n");
  EXPECT_EQ(errors("limit:"), "1:1: limit: has no value; it must be a rate such as 100/min\n");
}

TEST(SchemaErrors, WrongShapes) {
  EXPECT_EQ(errors("level: [1]"), "1:8: level: must be a whole number such as 10, not a list\n");
  EXPECT_EQ(errors("waits: 5s"), "1:8: waits: must be a list ([…]), not \"5s\"\n");
  EXPECT_EQ(errors("headers: [a]"),
            "1:10: headers: must be a map of names with values, not a list\n");
  EXPECT_EQ(errors("timeouts: 5s"),
            "1:11: timeouts: must be a map with the keys connect, total, not \"5s\"\n");
  EXPECT_EQ(errors("endpoints: [[a]]"),
            "1:13: endpoints[0]: must be an http:// or https:// URL or a map with the keys url, "
            "weight, not a list\n");
  EXPECT_EQ(errors("match: {a: [b]}"),
            "1:12: match.a: must be text or a map with the keys present, not a list\n");
  EXPECT_EQ(errors("- a").substr(0, 35), "1:1: must be a map with the keys le");
}

TEST(SchemaErrors, Numbers) {
  EXPECT_EQ(errors("level: high"), "1:8: level: must be a whole number such as 10, not \"high\"\n");
  EXPECT_EQ(errors("level: 1.5"), "1:8: level: must be a whole number such as 10, not \"1.5\"\n");
  EXPECT_EQ(errors("level: \"5\""),
            "1:8: level: must be a whole number; write it without quotes\n");
  EXPECT_EQ(errors("level: 11"), "1:8: level: must be at most 10, not 11\n");
  EXPECT_EQ(errors("level: -1"), "1:8: level: must be at least 0, not -1\n");
  EXPECT_EQ(errors("level: 7"), "1:8: level: must be even\n");
  EXPECT_EQ(errors("level: 99999999999"),
            "1:8: level: must be between -2147483648 and 2147483647\n");
  EXPECT_EQ(errors("endpoints: [{url: \"http://a\", weight: -1}]"),
            "1:39: endpoints[0].weight: must be a whole number such as 10, not \"-1\"\n");
  EXPECT_EQ(errors("ratio: nan"), "1:8: ratio: must be a number such as 0.5, not \"nan\"\n");
  EXPECT_EQ(errors("ratio: 1.5"), "1:8: ratio: must be at most 1, not 1.5\n");
  EXPECT_EQ(errors("on: yes"), "1:5: on: must be true or false, not \"yes\"\n");
}

TEST(SchemaErrors, Units) {
  EXPECT_EQ(errors("timeouts: {connect: 5}"),
            "1:21: timeouts.connect: needs a unit: a duration is written like \"5s\"\n");
  EXPECT_EQ(errors("timeouts: {connect: 0}"),
            "1:21: timeouts.connect: must be at least 1ms, not 0\n");
  EXPECT_EQ(errors("timeouts: {total: 2h}"), "1:19: timeouts.total: must be at most 1h, not 2h\n");
  EXPECT_EQ(errors("limit: 100"), "1:8: limit: must be a rate such as 100/min, not \"100\"\n");
  EXPECT_EQ(errors("limit: 100/minute"),
            "1:8: limit: must be a number per s, min, h or day, such as 100/min, not "
            "\"100/minute\"\n");
  EXPECT_EQ(errors("min_rate: 100B"),
            "1:11: min_rate: must be bytes per second such as 100B/s, not \"100B\"\n");
}

TEST(SchemaErrors, EnumsAndTexts) {
  EXPECT_EQ(errors("balance: round-robbin"),
            "1:10: balance: must be one of round_robin, least_requests, not \"round-robbin\"; did "
            "you mean \"round_robin\"?\n");
  EXPECT_EQ(errors("balance: zebra"),
            "1:10: balance: must be one of round_robin, least_requests, not \"zebra\"\n");
  EXPECT_EQ(errors("balance: {}"),
            "1:10: balance: must be one of round_robin, least_requests, not a map\n");
  EXPECT_EQ(errors("hosts: [a, \"b c\"]"),
            "1:12: hosts[1]: must be a host name or IP address such as api.example.com, not \"b "
            "c\"\n");
  EXPECT_EQ(errors("headers: {\"x y\": 1}"),
            "1:11: headers[\"x y\"]: the key must be a header name such as x-request-id\n");
  EXPECT_EQ(errors("admin: {token: short}"),
            "1:16: admin.token: must have at least 8 bytes, has 5\n");
  EXPECT_EQ(errors("match: {a: \"\"}"), "1:12: match.a: must not be empty\n");
}

TEST(SchemaErrors, KeysTogetherAndChecks) {
  EXPECT_EQ(
      errors("{service: a, respond: {}}"),
      "1:14: respond: stands beside \"service\"; the section needs at most one of \"service\", "
      "\"respond\"\n");
  EXPECT_EQ(errors("{level: 10, on: false}"),
            "1:2: level: must be at most 8 when \"on\" is false\n");
  Everything out;
  EXPECT_EQ(errors_of(kEverythingSchema, "level: 0", out),
            "1:1: level: is 0, which does nothing\n");
}

TEST(SchemaErrors, AllAreTold) {
  EXPECT_EQ(errors("{level: 11, on: 1, respond: {status: 99}}"),
            "1:9: level: must be at most 10, not 11\n"
            "1:17: on: must be true or false, not \"1\"\n"
            "1:38: respond.status: must be at least 200, not 99\n");
}

TEST(Schema, ExactlyOneOf) {
  struct Target {
    std::optional<std::string> service;
    std::optional<std::string> respond;
  };
  static constexpr auto kTarget = schema<Target>(
      "target", "Where a request goes.", field("service", &Target::service, "A service."),
      field("respond", &Target::respond, "A response."), exactly_one_of("service", "respond"));
  Target out;
  EXPECT_EQ(errors_of(kTarget, "service: a", out), "");
  EXPECT_EQ(errors_of(kTarget, "{}", out),
            "1:1: needs exactly one of \"service\", \"respond\", has none\n");
  EXPECT_EQ(errors_of(kTarget, "servce: a", out),
            "1:1: servce: unknown key; did you mean \"service\"?\n");
}

TEST(Schema, WritesJson) {
  Everything value = read("{admin: {token: 0123456789}, service: a, services: {x: {}}}");
  const Json json = kEverythingSchema.to_json(value);
  EXPECT_EQ(json["timeouts"].dump(), R"({"connect":"2s","total":"0"})");
  EXPECT_EQ(json["admin"].dump(), R"({"address":"127.0.0.1:9901","token":"***"})");
  EXPECT_EQ(json["balance"], "round_robin");
  EXPECT_EQ(json["respond"], nullptr);
  EXPECT_EQ(json["services"].dump(), R"({"x":{"connect":"2s","total":"0"}})");
  value.admin.reset();
  EXPECT_EQ(kEverythingSchema.to_json(value)["admin"], "off");
}

TEST(Schema, WritesJsonSchema) {
  Json definitions = Json::object();
  const Json json = kEverythingSchema.json_schema(definitions);
  EXPECT_EQ(json["additionalProperties"], false);
  const Json& p = json["properties"];
  EXPECT_EQ(p["level"].dump(),
            R"({"description":"A level. At least `0`. At most `10`.","type":"integer",)"
            R"("minimum":0,"maximum":10,"default":5})");
  EXPECT_EQ(p["balance"].dump(), R"({"description":"How endpoints are chosen.",)"
                                 R"("enum":["round_robin","least_requests"],)"
                                 R"("default":"round_robin"})");
  EXPECT_EQ(p["endpoints"]["items"]["anyOf"][1]["required"].dump(), R"(["url"])");
  EXPECT_EQ(p["hosts"]["anyOf"][1]["type"], "array");
  EXPECT_EQ(p["headers"]["additionalProperties"].dump(), R"({"type":"string"})");
  EXPECT_EQ(p["admin"]["anyOf"][0].dump(), R"({"enum":["off",false]})");
  EXPECT_FALSE(p["admin"]["anyOf"][1]["properties"]["token"].contains("default"));
  for (const auto& [name, property] : p.items()) {
    EXPECT_NE(property["description"], "") << name;
  }
}

TEST(AnySchema, ReadsWithoutTheType) {
  const std::unique_ptr<AnySchema> schema = erase_type(kSizeLimitSchema);
  EXPECT_EQ(schema->name(), "size_limit");
  const auto source = std::make_shared<text::SourceFile>("a", "{max: 2KiB, mode: shadow}");
  const text::Node root = text::parse_yaml(source).value();
  Diagnostics diagnostics;
  constexpr std::array<std::string_view, 1> kCommon{"mode"};
  const AnyValue value = schema->read(root, diagnostics, kCommon);
  ASSERT_TRUE(value);
  EXPECT_EQ(value.get<SizeLimitConfig>().max, 2_KiB);
  EXPECT_EQ(schema->to_json(value).dump(), R"({"max":"2KiB"})");
  EXPECT_FALSE(schema->read(root, diagnostics));
  EXPECT_EQ(schema->defaults().get<SizeLimitConfig>().max, 1_MiB);
  const Json document = schema_document(*schema, "https://example.com/s.json");
  EXPECT_EQ(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(document["properties"]["max"]["default"], "1MiB");
}

TEST(Reference, IsAPageWithATable) {
  EXPECT_EQ(to_markdown(kSizeLimitSchema.reference()),
            "# size_limit\n\n"
            "Refuses requests whose body is larger than a limit.\n\n"
            "| setting | type | default | meaning |\n|---|---|---|---|\n"
            "| `max` | size | `1MiB` | Largest body allowed. At least `1B`. |\n\n"
            "```yaml\nmax: 5MiB\n```\n");
}

TEST(Reference, ShowsNestedSettings) {
  const std::string page = to_markdown(kEverythingSchema.reference());
  const auto has = [&page](std::string_view line) { return page.find(line) != std::string::npos; };
  EXPECT_TRUE(
      has("| `timeouts.total` | duration | `0` | For all of it. At least `1s`. At most "
          "`1h`. `0`: no limit. |"))
      << page;
  EXPECT_TRUE(has("| `endpoints[].url` | http:// or https:// URL | required | Where it is. |"));
  EXPECT_TRUE(has("| `balance` | `round_robin` \\| `least_requests` | `round_robin` |"));
  EXPECT_TRUE(has("| `services.NAME.connect` | duration | `2s` |"));
  EXPECT_TRUE(has("| `admin` | section or `off` | "));
  EXPECT_TRUE(has("| `hosts` | host name or IP address, or a list | – |"));
  EXPECT_TRUE(has("| `waits` | list of duration | `[1s, 2s]` |"));
  EXPECT_TRUE(has("At most one of `service`, `respond` is given."));
}

}  // namespace
}  // namespace doorward::schema
