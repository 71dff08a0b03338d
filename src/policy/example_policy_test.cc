// The example policy of docs/guide/writing-a-policy.md, compiled, registered and run.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "../../examples/policy/require_header/require_header.cc"
#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

class ExamplePolicy : public ::testing::Test {
 protected:
  ExamplePolicy() { registry.add<RequireHeader>(kRequireHeaderSchema); }
  http::Reply* ask(std::string_view settings) {
    testing::ReadPolicies read("list:\n  - require_header: " + std::string(settings), registry);
    EXPECT_EQ(read.errors, "");
    chain = PolicyChain(std::move(read.steps));
    chain.prepare(context.chain, context.arena());
    return context.run(chain.run_request(context, context.chain)).reply;
  }
  Registry registry;
  PolicyChain chain;  // the reply's name lies in it
  testing::FakeContext context;
};

TEST_F(ExamplePolicy, RefusesARequestWithoutTheHeader) {
  const http::Reply* reply = ask("{name: x-api-version}");
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->status, 400);
  EXPECT_EQ(reply->code, "header_required");
  EXPECT_EQ(reply->policy, "require_header");
}

TEST_F(ExamplePolicy, LetsPassWhatHasIt) {
  context.request().headers.add("X-Api-Version", "2");
  EXPECT_EQ(ask("{name: x-api-version}"), nullptr);
  EXPECT_EQ(ask("{name: x-api-version, value: \"2\"}"), nullptr);
  EXPECT_NE(ask("{name: x-api-version, value: \"3\"}"), nullptr);
}

TEST_F(ExamplePolicy, TakesAModeLikeAllOthers) {
  EXPECT_EQ(ask("{name: x-api-version, mode: shadow}"), nullptr);
  EXPECT_EQ(context.shadow_replies, std::vector<std::string>{"require_header 400"});
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The repository that this program was built in.
std::filesystem::path repository() {
  auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  while (folder.has_relative_path() && !std::filesystem::exists(folder / "docs/guide")) {
    folder = folder.parent_path();
  }
  return folder;
}

TEST(ExamplePolicyGuide, ShowsTheCodeThatIsTested) {
  const auto root = repository();
  const auto folder = root / "examples/policy/require_header";
  const std::string guide = read_file(root / "docs/guide/writing-a-policy.md");
  ASSERT_FALSE(guide.empty());
  for (const char* name : {"require_header.h", "require_header.cc"}) {
    const std::string code = read_file(folder / name);
    ASSERT_FALSE(code.empty()) << name;
    EXPECT_NE(guide.find("```cpp\n" + code + "```"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace doorward::policy
