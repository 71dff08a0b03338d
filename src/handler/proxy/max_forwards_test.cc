// Which requests are counted, and what becomes of the number.
#include "handler/proxy/max_forwards.h"

#include <gtest/gtest.h>

namespace doorward::handler {
namespace {

struct Request {
  Arena arena;
  http::RequestHead head{arena};

  MaxForwards count(http::Method method, std::string_view value) {
    head.method = method;
    head.headers.set(http::HeaderName::max_forwards, value);
    return count_forward(head, arena);
  }
  std::string_view left() const { return head.headers.value(http::HeaderName::max_forwards); }
};

TEST(MaxForwards, CountsDownForOptionsAndTrace) {
  for (const http::Method method : {http::Method::options, http::Method::trace}) {
    Request request;
    EXPECT_EQ(request.count(method, "10"), MaxForwards::go_on);
    EXPECT_EQ(request.left(), "9");
    EXPECT_EQ(request.count(method, "1"), MaxForwards::go_on);
    EXPECT_EQ(request.left(), "0");
    EXPECT_EQ(request.count(method, "0"), MaxForwards::answer);
    EXPECT_EQ(request.count(method, "000"), MaxForwards::answer);
  }
}

TEST(MaxForwards, TheLastHopAnswersOptionsAndRefusesTrace) {
  Request request;
  request.head.method = http::Method::options;
  const http::Reply* answer = last_hop(request.head, request.arena);
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->has_body && answer->body.empty());
  EXPECT_EQ(answer->headers->name, "allow");
  request.head.method = http::Method::trace;
  answer = last_hop(request.head, request.arena);
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->code, "method_not_allowed");
  EXPECT_EQ(answer->headers->name, "allow");
}

TEST(MaxForwards, MeansNothingToOtherMethods) {
  Request request;
  EXPECT_EQ(request.count(http::Method::get, "0"), MaxForwards::go_on);
  EXPECT_EQ(request.left(), "0");
}

TEST(MaxForwards, LeavesWhatIsNoNumber) {
  for (const std::string_view value : {"", "-1", "+1", "1x", "0x10", "1, 2"}) {
    Request request;
    EXPECT_EQ(request.count(http::Method::options, value), MaxForwards::go_on) << value;
    EXPECT_EQ(request.left(), value);
  }
}

TEST(MaxForwards, HugeNumbersBecomeTheLargestSupported) {
  Request request;
  EXPECT_EQ(request.count(http::Method::options, "99999999999999999999999"), MaxForwards::go_on);
  EXPECT_EQ(request.left(), "18446744073709551615");
}

TEST(MaxForwards, WithoutTheFieldNothingHappens) {
  Request request;
  request.head.method = http::Method::options;
  EXPECT_EQ(count_forward(request.head, request.arena), MaxForwards::go_on);
  EXPECT_TRUE(request.head.headers.empty());
}

}  // namespace
}  // namespace doorward::handler
