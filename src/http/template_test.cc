#include "http/template.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::http {
namespace {

// Says what it was asked for.
class Echo final : public TemplateSource {
 public:
  std::string_view lookup(Variable variable, std::string_view name) override {
    if (variable == Variable::client_ip) return {};
    last_ = "<" + std::string(to_string(variable)) + std::string(name) + ">";
    return arena_.copy(last_);
  }

 private:
  std::string last_;
  Arena arena_;
};

std::string rendered(std::string_view text) {
  Echo echo;
  Arena arena;
  auto compiled = Template::compile(text, TemplateScope::response);
  if (!compiled) return compiled.error().cause;
  return std::string(compiled->render(echo, arena));
}

std::string error(std::string_view text, TemplateScope scope = TemplateScope::response) {
  auto compiled = Template::compile(text, scope);
  return compiled ? "" : compiled.error().cause;
}

TEST(Template, RendersLiteralsAndVariables) {
  EXPECT_EQ(rendered(""), "");
  EXPECT_EQ(rendered("plain"), "plain");
  EXPECT_EQ(rendered("{request.host}"), "<request.host>");
  EXPECT_EQ(rendered("https://{request.host}{request.target}/x"),
            "https://<request.host><request.target>/x");
  EXPECT_EQ(rendered("a{client.ip}b{client.ip}"), "ab");
  EXPECT_EQ(rendered("{client.ip}{client.ip}"), "");
}

TEST(Template, HeaderNamesAreLowerCaseParametersKeepTheirs) {
  EXPECT_EQ(rendered("{request.header.X-Tenant}"), "<request.header.x-tenant>");
  EXPECT_EQ(rendered("{route.param.orderId}"), "<route.param.orderId>");
  EXPECT_EQ(rendered("{response.header.ETag}{response.status}"),
            "<response.header.etag><response.status>");
}

TEST(Template, TheQueryMayBringItsQuestionMark) {
  EXPECT_EQ(rendered("/new{?request.query}#a"), "/new?<request.query>#a");
  EXPECT_EQ(rendered("{?request.query}"), "?<request.query>");
  EXPECT_EQ(rendered("{?request.path}"), "{?request.path}");
  class NoQuery final : public TemplateSource {
    std::string_view lookup(Variable, std::string_view) override { return {}; }
  } none;
  Arena arena;
  const auto compiled = Template::compile("/new{?request.query}", TemplateScope::request);
  EXPECT_EQ(compiled->render(none, arena), "/new");
}

TEST(Template, DoubledBraceIsALiteralOne) {
  EXPECT_EQ(rendered("{{\"a\": {{}"), "{\"a\": {}");
  EXPECT_EQ(rendered("{{request.host}"), "{request.host}");
  EXPECT_EQ(rendered("a}"), "a}");
}

TEST(Template, JsonNeedsNoEscapes) {
  EXPECT_EQ(rendered(R"({"a": {"host": "{request.host}"}, "b": {}, "c": { }})"),
            R"({"a": {"host": ")" + rendered("{request.host}") + R"("}, "b": {}, "c": { }})");
  EXPECT_EQ(rendered("{"), "{");
}

TEST(Template, RendersMoreVariablesThanFitTheStack) {
  std::string text, expected;
  for (int i = 0; i < 40; ++i) {
    text += "{route.name},";
    expected += "<route.name>,";
  }
  EXPECT_EQ(rendered(text), expected);
}

TEST(Template, OneLiteralIsNotCopied) {
  Echo echo;
  Arena arena;
  auto compiled = *Template::compile("text", TemplateScope::request);
  EXPECT_EQ(compiled.render(echo, arena).data(), compiled.pieces()[0].text.data());
  EXPECT_TRUE(compiled.is_literal());
  EXPECT_FALSE(compiled.uses(Variable::request_host));
  EXPECT_TRUE(
      Template::compile("{request.host}", TemplateScope::request)->uses(Variable::request_host));
}

TEST(Template, ErrorsNameTheColumnAndTheNearestVariable) {
  EXPECT_EQ(error("x{request.hots}"),
            "column 2: unknown variable {request.hots}; did you mean {request.host}?");
  EXPECT_EQ(error("{request.headers.x-a}"),
            "column 1: unknown variable {request.headers.x-a}; did you mean "
            "{request.header.x-a}?");
  EXPECT_TRUE(error("{zzz}").starts_with("column 1: unknown variable {zzz}; known are"));
  EXPECT_EQ(error("a{request.host"), "column 2: '{' without '}'; a literal brace is \"{{\"");
  EXPECT_EQ(error("{request.header.}"),
            "column 1: {request.header.} needs a name after the last dot");
  EXPECT_EQ(error("{response.status}", TemplateScope::request),
            "column 1: {response.status} is not known before the response");
}

}  // namespace
}  // namespace doorward::http
