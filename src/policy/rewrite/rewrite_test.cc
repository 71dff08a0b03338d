// Prefixes, templates and expressions; what must not escape or pass.
#include "policy/rewrite/rewrite.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

// "/path?query" afterwards, or the reply's code.
std::string rewritten(std::string_view settings, std::string_view path, FakeContext& context) {
  context.set_path(path);
  const auto policy = policy_of("rewrite: " + std::string(settings));
  const Outcome outcome = policy->on_request(context).take();
  if (outcome.reply != nullptr) return std::string(outcome.reply->code);
  return std::string(context.path()) + "?" + std::string(context.query());
}
std::string rewritten(std::string_view settings, std::string_view path) {
  FakeContext context;
  context.set_query("q");
  return rewritten(settings, path, context);
}

TEST(Rewrite, StripsAtSegmentBorders) {
  EXPECT_EQ(rewritten("{strip_prefix: /v1}", "/v1/a"), "/a?q");
  EXPECT_EQ(rewritten("{strip_prefix: /v1/}", "/v1/a"), "/a?q");
  EXPECT_EQ(rewritten("{strip_prefix: /v1}", "/v1"), "/?q");
  EXPECT_EQ(rewritten("{strip_prefix: /v1}", "/v1/"), "/?q");
  EXPECT_EQ(rewritten("{strip_prefix: /v1}", "/v1x/a"), "/v1x/a?q");
}

TEST(Rewrite, AddsAfterStripping) {
  EXPECT_EQ(rewritten("{add_prefix: /api}", "/a"), "/api/a?q");
  EXPECT_EQ(rewritten("{strip_prefix: /v1, add_prefix: /v2}", "/v1/a"), "/v2/a?q");
}

TEST(Rewrite, MakesAPathOfVariables) {
  FakeContext context;
  context.params["id"] = "a%20b";
  context.set_query("q");
  EXPECT_EQ(rewritten("{path: '/people/{route.param.id}'}", "/users/7", context),
            "/people/a%20b?q");
  EXPECT_EQ(rewritten("{path: '{request.path}/x'}", "/a"), "/a/x?q");
}

TEST(Rewrite, AQueryInTheTemplateReplacesTheRequests) {
  EXPECT_EQ(rewritten("{path: '/s?path={request.path}&{request.query}'}", "/a"), "/s?path=/a&q");
  EXPECT_EQ(rewritten("{path: '/s?'}", "/a"), "/s?");
}

TEST(Rewrite, ValuesOfHeadersCannotEscapeTheirSegment) {
  const auto with = [](std::string_view value) {
    FakeContext context;
    context.set_query("q");
    context.request().headers.add("x-t", value);
    return rewritten("{path: '/t/{request.header.x-t}/d'}", "/a", context);
  };
  EXPECT_EQ(with("acme"), "/t/acme/d?q");
  EXPECT_EQ(with("a b?c#d%2f"), "/t/a%20b%3Fc%23d%252f/d?q");
  EXPECT_EQ(with("../admin"), "rewrite_invalid");
  EXPECT_EQ(with(".."), "rewrite_invalid");
  EXPECT_EQ(with("a\\b"), "rewrite_invalid");
}

TEST(Rewrite, ReplacesWhatAnExpressionMatches) {
  EXPECT_EQ(rewritten("{regex: {match: '^/item-([0-9]+)$', to: '/items/\\1'}}", "/item-42"),
            "/items/42?q");
  EXPECT_EQ(rewritten("{regex: {match: '^/item-([0-9]+)$', to: '/items/\\1'}}", "/other"),
            "/other?q");
  EXPECT_EQ(rewritten("{regex: {match: '/old/', to: /new/}}", "/a/old/b"), "/a/new/b?q");
  EXPECT_EQ(rewritten("{regex: {match: '(a)(x)?', to: '[\\2\\1]'}}", "/a"), "/[a]?q");
}

TEST(Rewrite, TheResultIsNormalised) {
  EXPECT_EQ(rewritten("{regex: {match: '^/a', to: '/b//./c/'}}", "/a"), "/b/c/?q");
  EXPECT_EQ(rewritten("{regex: {match: '^/a', to: '/..'}}", "/a"), "rewrite_invalid");
  EXPECT_EQ(rewritten("{regex: {match: '^/', to: 'x'}}", "/a"), "rewrite_invalid");
}

TEST(Rewrite, WhatDoesNotChangeIsLeftAlone) {
  FakeContext context;
  const std::string path = "/other";
  EXPECT_EQ(rewritten("{strip_prefix: /v1}", path, context), "/other?page=2");
  EXPECT_EQ(context.path().data(), path.data());
}

TEST(Rewrite, MistakesAreNamed) {
  const std::string one_way =
      "rewrite: must have one way to rewrite: \"strip_prefix\" and \"add_prefix\", or \"path\", or "
      "\"regex\"\n";
  EXPECT_EQ(errors_of_item("rewrite: {}"), one_way);
  EXPECT_EQ(errors_of_item("rewrite: {strip_prefix: /a, path: /b}"), one_way);
  EXPECT_EQ(errors_of_item("rewrite: {strip_prefix: v1}"),
            "rewrite.strip_prefix: must be a path such as /v1\n");
  EXPECT_EQ(errors_of_item("rewrite: {add_prefix: /a//b}"),
            "rewrite.add_prefix: must be written as /a/b\n");
  EXPECT_EQ(errors_of_item("rewrite: {path: 'x'}"),
            "rewrite.path: must begin with \"/\" or {request.path}\n");
  EXPECT_NE(errors_of_item("rewrite: {path: '/x{request.target}'}"), "");
  EXPECT_NE(errors_of_item("rewrite: {path: '/x{?request.query}'}").find("goes along by itself"),
            std::string::npos);
  EXPECT_NE(errors_of_item("rewrite: {regex: {match: '(a', to: /b}}").find("(a"),
            std::string::npos);
  EXPECT_NE(errors_of_item("rewrite: {regex: {match: 'a', to: '/\\1'}}"), "");
  EXPECT_NE(errors_of_item("rewrite: {regex: {match: 'a'}}"), "");
}

}  // namespace
}  // namespace doorward::policy
