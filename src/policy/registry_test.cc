// How policies are written in a configuration, and what is said about mistakes.
#include "policy/registry.h"

#include <gtest/gtest.h>

#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::ReadPolicies;

TEST(Registry, ReadsNamesAndKinds) {
  const ReadPolicies read(R"(
policies:
  tag: {request_id: {}}
list:
  - tag
  - size_limit: {max: 2KiB, mode: shadow}
  - request_id:
)");
  EXPECT_EQ(read.errors, "");
  ASSERT_EQ(read.steps.size(), 3U);
  EXPECT_EQ(read.steps[0].name, "tag");
  EXPECT_EQ(read.steps[0].kind, "request_id");
  EXPECT_EQ(read.steps[1].name, "size_limit");
  EXPECT_EQ(read.steps[1].mode, Mode::shadow);
  EXPECT_TRUE(read.steps[1].functions.request_body);
  EXPECT_FALSE(read.steps[1].functions.response);
  EXPECT_EQ(read.steps[2].mode, Mode::enforce);
  EXPECT_NE(read.steps[0].policy, read.steps[2].policy);
}

TEST(Registry, ANamedPolicyIsSharedByItsUsers) {
  const ReadPolicies read("policies: {tag: {request_id: {}}}\nlist: [tag, tag]\n");
  EXPECT_EQ(read.steps[0].policy, read.steps[1].policy);
}

struct Mistake {
  std::string_view yaml;
  std::string_view errors;
};

class RegistryMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(RegistryMistakes, AreNamedWithTheirPlace) {
  EXPECT_EQ(ReadPolicies(GetParam().yaml).errors, GetParam().errors);
}

INSTANTIATE_TEST_SUITE_P(
    Items, RegistryMistakes,
    ::testing::Values(
        Mistake{"list:\n  - header: {}\n",
                "2:5: list[0].header: is no kind of policy; did you mean \"headers\"?\n"},
        Mistake{"policies: {tag: {request_id: {}}}\nlist: [tga]\n",
                "2:8: list[0]: no policy is named \"tga\"; did you mean \"tag\"?\n"},
        Mistake{"list: [compress]\n",
                "1:8: list[0]: no policy is named \"compress\"; compress is a kind: write "
                "\"compress: {}\"\n"},
        Mistake{"list:\n  - size_limit: {maxx: 1KiB}\n",
                "2:18: list[0].size_limit.maxx: unknown key; did you mean \"max\"?\n"},
        Mistake{"list:\n  - size_limit: {max: 1KiB, mode: shadwo}\n",
                "2:35: list[0].size_limit.mode: must be one of enforce, shadow, off, not "
                "\"shadwo\"; did you mean \"shadow\"?\n"},
        Mistake{"list:\n  - external_auth: {service: apq}\n",
                "2:21: list[0].external_auth.service: there is no service \"apq\"; did you mean "
                "\"app\"?\n"},
        Mistake{"list:\n  - compress: {}\n    mock: {}\n",
                "3:5: list[0].mock: is a second kind beside \"compress\"; begin a new item with "
                "\"-\", or indent it when it is a setting\n"},
        Mistake{"list: [[a]]\n",
                "1:8: list[0]: must be a policy such as {request_id: {}}, not a list\n"},
        Mistake{"policies: {bad: {size_limit: {max: 0}}}\nlist: [bad]\n",
                "1:36: policies.bad.size_limit.max: must be at least 1B, not 0\n"},
        Mistake{"policies: {'a b': {mock: {}}}\n",
                "1:12: policies[\"a b\"]: the key must be a name (letters, digits, \"_\", \"-\", "
                "\".\") such as orders\n"}));

TEST(Registry, EveryKindHasDocsAndAnExampleThatIsRight) {
  for (const auto& kind : Registry::builtin().kinds()) {
    EXPECT_GT(kind->doc().size(), 20U) << kind->name();
    std::string yaml = "list:\n  - " + std::string(kind->name()) + ":\n";
    const std::string example(kind->settings().example());
    ASSERT_FALSE(example.empty()) << kind->name();
    for (std::size_t at = 0; at < example.size();) {
      const std::size_t end = example.find('\n', at);
      yaml += "      " + example.substr(at, end - at) + "\n";
      at = end == std::string::npos ? example.size() : end + 1;
    }
    EXPECT_EQ(ReadPolicies(yaml).errors, "") << yaml;
  }
}

TEST(Registry, EveryKindTakesAMode) {
  schema::Json definitions;
  for (const auto& kind : Registry::builtin().kinds()) {
    const schema::Json json = kind->json_schema(definitions);
    EXPECT_TRUE(json["properties"].contains("mode")) << json.dump();
    EXPECT_EQ(kind->reference().rows.back().name, "mode");
  }
}

TEST(Registry, TheItemsSchemaKnowsAllKinds) {
  schema::Json definitions;
  const schema::Json json = Registry::builtin().item_schema(definitions);
  EXPECT_EQ(json["anyOf"][1]["properties"].size(), Registry::builtin().kinds().size());
}

}  // namespace
}  // namespace doorward::policy
