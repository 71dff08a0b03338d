#include "loop/resolver.h"

#include <gtest/gtest.h>

#include "loop/loop_fixture.h"
#include "loop/test_name_server.h"

namespace doorward::loop {
namespace {

class ResolverTest : public LoopTest {
 protected:
  Result<Resolved> resolve(std::string host, int deadline_ms = 5000) {
    Result<Resolved> result;
    run(ask(*loop_, std::move(host), in(deadline_ms), result, asked_));
    return result;
  }

  static Task<void> ask(Loop& loop, std::string host, Deadline deadline, Result<Resolved>& result,
                        int& asked) {
    NameServer server(loop);
    {
      Resolver resolver(loop, {.servers = server.address(), .timeout = Duration(100), .tries = 2});
      result = co_await resolver.resolve(std::move(host), 80, deadline);
    }
    asked = server.asked();
    co_await server.stop();
  }

  int asked_ = 0;
};
DOORWARD_BOTH_BACKENDS(ResolverTest);

TEST_P(ResolverTest, GivesAllAddressesAndTheLeastTtl) {
  const auto resolved = resolve("two.test");
  ASSERT_TRUE(resolved.has_value()) << resolved.error().cause;
  ASSERT_EQ(resolved->addresses.size(), 2u);
  std::vector<std::string> texts = {resolved->addresses[0].text(), resolved->addresses[1].text()};
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (std::vector<std::string>{"10.0.0.1:80", "10.0.0.2:80"}));
  EXPECT_EQ(resolved->ttl, std::chrono::seconds(20));
}

TEST_P(ResolverTest, NamesTheHostThatDoesNotExist) {
  const auto resolved = resolve("missing.test.");
  ASSERT_FALSE(resolved.has_value());
  EXPECT_EQ(resolved.error().kind, ErrorKind::unresolved);
  EXPECT_EQ(resolved.error().cause, "resolve missing.test.: no such name");
}

TEST_P(ResolverTest, GivesUpAtItsDeadline) {
  const auto resolved = resolve("silent.test.", 30);
  ASSERT_FALSE(resolved.has_value());
  EXPECT_EQ(resolved.error().kind, ErrorKind::timeout);
  EXPECT_EQ(resolved.error().cause, "resolve silent.test.: no answer in time");
}

TEST_P(ResolverTest, TriesAgainAndGivesUpByItself) {
  const auto resolved = resolve("silent.test.");
  ASSERT_FALSE(resolved.has_value());
  EXPECT_EQ(resolved.error().kind, ErrorKind::timeout);
  EXPECT_GE(asked_, 3);
}

TEST_P(ResolverTest, HonoursTheHostsFile) {
  const auto resolved = resolve("localhost");
  ASSERT_TRUE(resolved.has_value()) << resolved.error().cause;
  EXPECT_EQ(resolved->addresses[0].port(), 80);
  EXPECT_EQ(asked_, 0);
}

TEST_P(ResolverTest, AnswersLiteralAddressesAtOnce) {
  Resolver resolver(*loop_, {.servers = "127.0.0.1:1"});
  for (const std::string host : {"127.0.0.1", "::1", "[::1]"}) {
    auto task = resolver.resolve(host, 8080, Deadline::never());
    ASSERT_TRUE(task.is_ready()) << host;
    const auto resolved = task.take();
    ASSERT_TRUE(resolved.has_value());
    EXPECT_EQ(resolved->addresses[0].port(), 8080);
    EXPECT_EQ(resolved->ttl, Duration::max());
  }
}

Task<void> wait_for_answer(Resolver& resolver, Deadline deadline, Result<Resolved>& result) {
  result = co_await resolver.resolve("silent.test.", 80, deadline);
}

Task<void> destroy_while_waiting(Loop& loop, Deadline deadline, Result<Resolved>& result) {
  NameServer server(loop);
  auto resolver = std::make_unique<Resolver>(loop, ResolverOptions{.servers = server.address()});
  Gate gate;
  gate.spawn(wait_for_answer(*resolver, deadline, result));
  co_await loop.sleep(Duration(1));
  resolver.reset();
  co_await gate.close();
  co_await server.stop();
}

TEST_P(ResolverTest, DestroyingItWakesItsWaiters) {
  Result<Resolved> result;
  run(destroy_while_waiting(*loop_, soon(), result));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace doorward::loop
