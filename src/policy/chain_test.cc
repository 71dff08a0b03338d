// Order, reverse order, waits, replies, modes: what a chain does with its policies.
#include "policy/chain.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"

namespace doorward::policy {
namespace {

using testing::FakeContext;

// Writes down what is called, as "1.request "; replies or waits where it is told to.
struct Recorder {
  std::string log;
};

class Recording : public Policy {
 public:
  struct Plan {
    std::uint16_t reply_request = 0;
    std::uint16_t reply_response = 0;
    std::uint16_t reply_body = 0;
    bool wait = false;
  };
  Recording(Recorder& recorder, std::string name, Plan plan)
      : recorder_(recorder), name_(std::move(name)), plan_(plan) {}
  Recording(Recorder& recorder, std::string name) : Recording(recorder, std::move(name), Plan()) {}

  BodyNeed request_body_need() const override { return BodyNeed::stream; }
  BodyNeed response_body_need() const override { return BodyNeed::stream; }
  Verdict on_request(PolicyContext& context) const override {
    write("request");
    ++context.state<int>();
    if (plan_.wait) return ask(context, plan_.reply_request);
    return end(context, plan_.reply_request);
  }
  Verdict on_request_body(PolicyContext& context, BodyPiece& piece) const override {
    write("body");
    piece.chunk = Chunk(context.arena().join(piece.chunk.view(), name_));
    return end(context, plan_.reply_body);
  }
  Verdict on_response(PolicyContext& context) const override {
    write("response");
    if (plan_.wait) return ask(context, plan_.reply_response);
    return end(context, plan_.reply_response);
  }
  Verdict on_response_body(PolicyContext& context, BodyPiece& piece) const override {
    write("content");
    piece.chunk = Chunk(context.arena().join(piece.chunk.view(), name_));
    return Outcome::pass();
  }
  void on_log(PolicyContext& context) const override {
    write("log" + std::to_string(context.state<int>()));
  }

 private:
  void write(const std::string& what) const { recorder_.log += name_ + "." + what + " "; }
  static Verdict ask(PolicyContext& context, std::uint16_t status) {
    (void)co_await context.call("auth", {}, Deadline::never());
    co_return end(context, status);
  }
  static Outcome end(PolicyContext& context, std::uint16_t status) {
    return status == 0 ? Outcome::pass() : context.reply(status, "test", "");
  }

  Recorder& recorder_;
  std::string name_;
  Plan plan_;
};

// Has one function only.
class Tagging final : public Policy {
 public:
  Verdict on_response(PolicyContext& context) const override {
    context.response().headers.add("x-tag", "1");
    context.response_length_unknown();
    return Outcome::pass();
  }
};

class Chain : public ::testing::Test {
 protected:
  void add(const std::string& name, Recording::Plan plan = {}, Mode mode = Mode::enforce) {
    steps.push_back(make_step(std::make_shared<const Recording>(recorder, name, plan), name,
                              "recording", mode));
  }
  void build() {
    chain = PolicyChain(std::move(steps));
    chain.prepare(context.chain, context.arena());
  }
  std::string run_all() {
    Outcome outcome = context.run(chain.run_request(context, context.chain));
    if (outcome.reply == nullptr) {
      BodyPiece piece{Chunk("-"), true, false};
      context.run(chain.run_request_body(context, context.chain, piece));
    }
    context.run(chain.run_response(context, context.chain));
    BodyPiece piece{Chunk("-"), true, false};
    context.run(chain.run_response_body(context, context.chain, piece));
    chain.run_log(context, context.chain);
    return recorder.log;
  }

  Recorder recorder;
  FakeContext context;
  std::vector<ChainStep> steps;
  PolicyChain chain;
};

TEST_F(Chain, NothingIsAskedOfAnEmptyChain) {
  build();
  EXPECT_FALSE(chain.has_request() || chain.has_response() || chain.has_log());
  EXPECT_EQ(chain.request_body_need(), BodyNeed::none);
  EXPECT_EQ(chain.response_body_need(), BodyNeed::none);
  EXPECT_EQ(run_all(), "");
}

TEST_F(Chain, OnlyFunctionsThatAPolicyHasAreCalled) {
  steps.push_back(make_step(std::make_shared<const Tagging>(), "tag", "tag"));
  build();
  EXPECT_FALSE(chain.has_request() || chain.has_log());
  EXPECT_TRUE(chain.has_response());
  EXPECT_EQ(chain.response_body_need(), BodyNeed::none);
  run_all();
  EXPECT_EQ(context.response().headers.value("x-tag"), "1");
}

TEST_F(Chain, RequestsPassInOrderResponsesInReverse) {
  add("1");
  add("2");
  build();
  EXPECT_EQ(run_all(),
            "1.request 2.request 1.body 2.body 2.response 1.response 2.content 1.content 1.log1 "
            "2.log1 ");
}

TEST_F(Chain, EachPolicyChangesWhatTheOneBeforeItLeft) {
  add("1");
  add("2");
  build();
  BodyPiece piece{Chunk("-"), true, false};
  context.run(chain.run_request_body(context, context.chain, piece));
  EXPECT_EQ(piece.chunk.view(), "-12");
  context.run(chain.run_response_body(context, context.chain, piece));
  EXPECT_EQ(piece.chunk.view(), "-1221");
}

TEST_F(Chain, AReplyEndsTheRunAndOnlyPoliciesBeforeItSeeTheResponse) {
  add("1");
  add("2", {.reply_request = 403});
  add("3");
  build();
  EXPECT_EQ(run_all(), "1.request 2.request 1.response 1.content 1.log1 2.log1 ");
}

TEST_F(Chain, AReplyCarriesItsPolicysName) {
  add("1", {.reply_request = 403});
  build();
  const Outcome outcome = context.run(chain.run_request(context, context.chain));
  ASSERT_NE(outcome.reply, nullptr);
  EXPECT_EQ(outcome.reply->policy, "1");
  EXPECT_EQ(outcome.reply->status, 403);
}

TEST_F(Chain, AReplyToAResponseIsSeenByThePoliciesBeforeItsOwn) {
  add("1");
  add("2", {.reply_response = 502});
  add("3");
  build();
  context.run(chain.run_request(context, context.chain));
  EXPECT_EQ(context.run(chain.run_response(context, context.chain)).reply->policy, "2");
  EXPECT_EQ(context.run(chain.run_response(context, context.chain)).reply, nullptr);
  chain.run_log(context, context.chain);
  EXPECT_EQ(recorder.log,
            "1.request 2.request 3.request 3.response 2.response 1.response 1.log1 2.log1 3.log1 ");
}

TEST_F(Chain, AReplyToABodyIsSeenByAll) {
  add("1");
  add("2", {.reply_body = 413});
  add("3");
  build();
  BodyPiece piece{Chunk("-"), false, false};
  EXPECT_EQ(context.run(chain.run_request_body(context, context.chain, piece)).reply->policy, "2");
  context.run(chain.run_response(context, context.chain));
  EXPECT_EQ(recorder.log, "1.body 2.body 3.response 2.response 1.response ");
}

TEST_F(Chain, IsReadyAtOnceWhenNoPolicyWaits) {
  add("1");
  add("2");
  build();
  EXPECT_TRUE(chain.run_request(context, context.chain).is_ready());
  EXPECT_TRUE(chain.run_response(context, context.chain).is_ready());
  BodyPiece piece;
  EXPECT_TRUE(chain.run_request_body(context, context.chain, piece).is_ready());
}

TEST_F(Chain, APolicyThatWaitsHoldsUpThoseBehindIt) {
  add("1");
  add("2", {.wait = true});
  add("3");
  add("4", {.reply_request = 401, .wait = true});
  add("5");
  build();
  context.hold = true;
  const Outcome outcome = context.run(chain.run_request(context, context.chain), [&] {
    EXPECT_EQ(recorder.log, "1.request 2.request ");
    context.release();
    EXPECT_EQ(recorder.log, "1.request 2.request 3.request 4.request ");
    context.release();
  });
  EXPECT_EQ(outcome.reply->policy, "4");
  recorder.log.clear();
  context.hold = false;
  context.run(chain.run_response(context, context.chain));
  EXPECT_EQ(recorder.log, "3.response 2.response 1.response ");
}

TEST_F(Chain, AfterAWaitThatPassesAllSeeTheResponse) {
  add("1", {.wait = true});
  add("2");
  build();
  context.hold = true;
  context.run(chain.run_request(context, context.chain), [&] { context.release(); });
  context.run(chain.run_response(context, context.chain), [&] { context.release(); });
  chain.run_log(context, context.chain);
  EXPECT_EQ(recorder.log, "1.request 2.request 2.response 1.response 1.log1 2.log1 ");
}

TEST_F(Chain, OfAnExchangeThatEndsInAWaitOnlyThoseReachedAreLogged) {
  add("1");
  add("2", {.wait = true});
  add("3");
  build();
  context.hold = true;
  context.run(chain.run_request(context, context.chain), [&] {
    recorder.log.clear();
    chain.run_log(context, context.chain);
    EXPECT_EQ(recorder.log, "1.log1 2.log1 ");
    context.release();
  });
}

TEST_F(Chain, OffIsLeftOut) {
  add("1", {.reply_request = 403}, Mode::off);
  add("2");
  build();
  ASSERT_EQ(chain.steps().size(), 1U);
  EXPECT_EQ(run_all(), "2.request 2.body 2.response 2.content 2.log1 ");
}

TEST_F(Chain, ShadowReportsAndNeverActs) {
  add("1", {.reply_request = 403, .wait = true}, Mode::shadow);
  add("2");
  build();
  EXPECT_EQ(run_all(), "1.request 2.request 2.body 2.response 2.content 1.log1 2.log1 ");
  EXPECT_EQ(context.shadow_replies, std::vector<std::string>{"1 403"});
  EXPECT_EQ(context.calls.size(), 1U);
}

TEST_F(Chain, ShadowSeesBodiesAndChangesCopies) {
  add("1", {}, Mode::shadow);
  build();
  BodyPiece piece{Chunk("-"), true, false};
  context.run(chain.run_request(context, context.chain));
  context.run(chain.run_request_body(context, context.chain, piece));
  context.run(chain.run_response_body(context, context.chain, piece));
  EXPECT_EQ(recorder.log, "1.request 1.body 1.content ");
  EXPECT_EQ(piece.chunk.view(), "-");
}

TEST_F(Chain, ShadowReportsABodyOnce) {
  add("1", {.reply_body = 413}, Mode::shadow);
  build();
  for (int i = 0; i < 3; ++i) {
    BodyPiece piece{Chunk("-"), i == 2, false};
    EXPECT_EQ(context.run(chain.run_request_body(context, context.chain, piece)).reply, nullptr);
  }
  EXPECT_EQ(context.shadow_replies, std::vector<std::string>{"1 413"});
}

// Changes all that a policy can change.
class Changing final : public Policy {
 public:
  Verdict on_request(PolicyContext& context) const override {
    context.request().headers.set("x-a", "changed");
    context.request().headers.remove(http::HeaderName::cookie);
    context.set_path("/changed");
    context.set_query("changed");
    context.set_request_id("changed");
    EXPECT_EQ(context.path(), "/changed");
    EXPECT_EQ(context.lookup(http::Variable::request_header, "x-a"), "changed");
    return Outcome::pass();
  }
  Verdict on_response(PolicyContext& context) const override {
    EXPECT_EQ(context.path(), "/changed");
    context.response().status = 500;
    context.response().headers.add("x-b", "changed");
    context.response_length_unknown();
    return Outcome::pass();
  }
};

TEST_F(Chain, ShadowLeavesHeadsPathAndIdAsTheyWere) {
  steps.push_back(make_step(std::make_shared<const Changing>(), "c", "c", Mode::shadow));
  build();
  context.request().headers.add("x-a", "1");
  context.request().headers.add("cookie", "b=c");
  EXPECT_TRUE(chain.run_request(context, context.chain).is_ready());
  EXPECT_TRUE(chain.run_response(context, context.chain).is_ready());
  EXPECT_EQ(testing::text_of(context.request().headers), "x-a: 1\ncookie: b=c\n");
  EXPECT_EQ(context.path(), "/orders/7");
  EXPECT_EQ(context.query(), "page=2");
  EXPECT_EQ(context.request_id(), "id-0");
  EXPECT_EQ(context.response().status, 200);
  EXPECT_TRUE(context.response().headers.empty());
  EXPECT_EQ(context.length_unknown, 0);
}

}  // namespace
}  // namespace doorward::policy
