#include "loop/resolver.h"

#include <array>
#include <cstring>
#include <gtest/gtest.h>

#include "loop/loop_fixture.h"

namespace doorward::loop {
namespace {

// A name server on the test's own loop. Knows two.test (two A records, TTL 30 and 20), answers
// NXDOMAIN to other names and nothing at all to names that begin with "silent".
class NameServer {
 public:
  explicit NameServer(Loop& loop) : loop_(loop) {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    address_ = *Address::parse("127.0.0.1:0");
    EXPECT_EQ(bind(fd_, address_.raw(), address_.size()), 0);
    sockaddr_in raw{};
    socklen_t size = sizeof raw;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&raw), &size);
    address_ = Address::from_raw(reinterpret_cast<sockaddr*>(&raw), size);
    gate_.spawn(serve());
  }
  ~NameServer() { close(fd_); }

  Task<void> stop() {
    stopped_ = true;
    loop_.cancel_waits(fd_);
    co_await gate_.close();
  }
  std::string address() const { return address_.text(); }
  int asked() const { return asked_; }

 private:
  Task<void> serve() {
    while (!stopped_ && co_await loop_.readable(fd_, Deadline::never())) answer();
  }

  void answer() {
    std::array<char, 512> bytes;
    sockaddr_in from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 17) return;
    ++asked_;
    const std::string_view query(bytes.data(), static_cast<std::size_t>(size));
    const std::size_t name_end = query.find('\0', 12);
    const std::string_view name = query.substr(12, name_end - 12);
    const bool is_a = query.substr(name_end + 1, 2) == std::string_view("\0\1", 2);
    if (name.starts_with("\6silent")) return;
    const bool known = name == "\3two\4test";
    std::string reply(query.substr(0, name_end + 5));
    reply[2] = '\x81';
    reply[3] = known ? '\x80' : '\x83';  // NXDOMAIN
    reply[7] = known && is_a ? 2 : 0;
    std::memset(reply.data() + 8, 0, 4);
    if (known && is_a) reply += record(30, "\12\0\0\1") + record(20, "\12\0\0\2");
    sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), from_size);
  }
  static std::string record(char ttl, const char* ip) {
    std::string bytes("\xc0\x0c\0\1\0\1\0\0\0", 9);  // the name asked for, A, IN
    bytes += ttl;
    return bytes.append("\0\4", 2).append(ip, 4);
  }

  Loop& loop_;
  int fd_ = -1;
  Address address_;
  bool stopped_ = false;
  int asked_ = 0;
  Gate gate_;
};

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
