// Every change of heads, their order, and names that are out of reach.
#include "policy/headers/headers.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;
using testing::text_of;

std::string request_after(std::string_view changes,
                          std::vector<std::pair<std::string_view, std::string_view>> fields) {
  FakeContext context;
  for (const auto& [name, value] : fields) context.request().headers.add(name, value);
  const auto policy = policy_of("headers: {request: " + std::string(changes) + "}");
  EXPECT_TRUE(policy->on_request(context).is_ready());
  return text_of(context.request().headers);
}

TEST(Headers, SetReplacesAllFieldsOfTheName) {
  EXPECT_EQ(request_after("{set: {X-A: new, accept: text/html}}",
                          {{"x-a", "1"}, {"X-A", "2"}, {"Accept", "*/*"}, {"x-b", "3"}}),
            "x-a: new\naccept: text/html\nx-b: 3\n");
  EXPECT_EQ(request_after("{set: {x-a: new}}", {}), "x-a: new\n");
}

TEST(Headers, AddKeepsWhatIsThere) {
  EXPECT_EQ(request_after("{add: {x-a: '2'}}", {{"x-a", "1"}}), "x-a: 1\nx-a: 2\n");
}

TEST(Headers, RemoveTakesNamesAndPrefixes) {
  EXPECT_EQ(
      request_after("{remove: [cookie, X-Secret-*]}",
                    {{"Cookie", "a"}, {"x-secret-a", "1"}, {"X-SECRET-B", "2"}, {"x-s", "3"}}),
      "x-s: 3\n");
}

TEST(Headers, APrefixNeverRemovesFraming) {
  EXPECT_EQ(request_after("{remove: ['c*']}", {{"Content-Length", "5"}, {"cookie", "a"}}),
            "Content-Length: 5\n");
}

TEST(Headers, RenameKeepsPlaceAndValues) {
  EXPECT_EQ(request_after("{rename: {x-old: X-New}}",
                          {{"X-Old", "1"}, {"x-b", "2"}, {"x-old", "3"}, {"x-new", "forged"}}),
            "X-New: 1\nx-b: 2\nX-New: 3\n");
  EXPECT_EQ(request_after("{rename: {x-old: x-new}}", {{"x-new", "stays"}}), "x-new: stays\n");
}

TEST(Headers, ValuesSeeTheHeadAsItCame) {
  EXPECT_EQ(request_after("{remove: [x-token], set: {x-auth: 'T {request.header.x-token}'}}",
                          {{"X-Token", "abc"}}),
            "x-auth: T abc\n");
}

TEST(Headers, AValueThatCannotBeSentLeavesNoField) {
  EXPECT_EQ(
      request_after("{set: {x-a: '{request.header.x-none}'}, add: {x-b: ''}}", {{"x-a", "forged"}}),
      "");
  FakeContext context;
  context.set_query("a\r\nb: c");
  context.request().headers.add("x-a", "forged");
  policy_of("headers: {request: {set: {x-a: '{request.query}'}}}")->on_request(context).take();
  EXPECT_EQ(text_of(context.request().headers), "");
}

TEST(Headers, ResponsesAreChangedByTheirOwnRules) {
  FakeContext context;
  context.response().headers.add("Server", "secret");
  const auto policy = policy_of(
      "headers: {response: {set: {x-s: '{response.status} {request.method}'}, "
      "remove: [server]}}");
  policy->on_request(context).take();
  policy->on_response(context).take();
  EXPECT_EQ(text_of(context.request().headers), "");
  EXPECT_EQ(text_of(context.response().headers), "x-s: 200 GET\n");
}

TEST(Headers, FramingCannotBeNamed) {
  EXPECT_EQ(errors_of_item("headers: {request: {set: {Content-Length: '5'}}}"),
            "headers.request.set.Content-Length: must not name content-length: it frames the "
            "message, and Doorward computes it\n");
  EXPECT_EQ(errors_of_item("headers: {response: {remove: [x-a, connection]}}"),
            "headers.response.remove: must not name connection: it belongs to one connection only, "
            "and Doorward decides about it\n");
  EXPECT_EQ(errors_of_item("headers: {response: {rename: {x-a: transfer-encoding}}}"),
            "headers.response.rename: must not name transfer-encoding: it frames the message, and "
            "Doorward computes it\n");
}

TEST(Headers, MistakesAreNamed) {
  EXPECT_EQ(errors_of_item("headers: {request: {set: {x-a: '{request.hots}'}}}"),
            "headers.request.set.x-a: is no template: column 1: unknown variable {request.hots}; "
            "did you mean {request.host}?\n");
  EXPECT_EQ(errors_of_item("headers: {request: {set: {x-a: '{response.status}'}}}"),
            "headers.request.set.x-a: is no template: column 1: {response.status} is not known "
            "before the response\n");
  EXPECT_NE(errors_of_item("headers: {request: {set: {'x a': '1'}}}"), "");
  EXPECT_NE(errors_of_item("headers: {request: {remove: ['x-*-y']}}"), "");
}

}  // namespace
}  // namespace doorward::policy
