#include "upstream/service.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <numeric>

#include "loop/loop_fixture.h"
#include "loop/test_name_server.h"

namespace doorward::upstream {
namespace {

using loop::Backend;
using loop::backend_name;

constexpr std::uint16_t kFirstPort = 9001;

class ServiceTest : public loop::LoopTest {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    tls_.emplace(*loop_);
    names_.emplace(*loop_);
    resolver_.emplace(*loop_, loop::ResolverOptions{.servers = names_->address()});
  }
  void TearDown() override {
    if (service_) run(service_->close());
    service_.reset();
    resolver_.reset();
    run(names_->stop());
    names_.reset();
    LoopTest::TearDown();
  }

  void add(std::string url, std::uint32_t weight = 1) {
    EndpointUrl parsed = parse_endpoint(std::move(url));
    ASSERT_EQ(parsed.error, "");
    parsed.endpoint.weight = weight;
    config_.endpoints.push_back(std::move(parsed.endpoint));
  }
  // One endpoint for each weight, at ports that nobody connects to.
  Service& with_weights(std::vector<std::uint32_t> weights) {
    config_.endpoints.clear();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      add(fmt::format("http://127.0.0.1:{}", kFirstPort + i), weights[i]);
    }
    return make();
  }
  Service& make() {
    if (service_) run(service_->close());
    return service_.emplace(Discovery::Tools{*loop_, *resolver_, events_}, *tls_,
                            std::make_shared<const ServiceConfig>(config_), nullptr, series_);
  }

  // The endpoints that are chosen next, as letters: "a" is the one that was known first.
  static char letter(const Endpoint& endpoint) {
    return static_cast<char>('a' + endpoint.number());
  }
  std::string choose(std::size_t count, const Tried& tried = {}) {
    std::string chosen;
    for (std::size_t i = 0; i < count; ++i) {
      Endpoint* endpoint = service_->choose(tried, Want::any);
      chosen += endpoint == nullptr ? '-' : letter(*endpoint);
    }
    return chosen;
  }
  Endpoint& choose_one(char wanted) {
    Endpoint* endpoint = service_->choose({}, Want::any);
    while (letter(*endpoint) != wanted) endpoint = service_->choose({}, Want::any);
    return *endpoint;
  }

  static loop::Task<void> keep_connect(Endpoint& endpoint, Deadline deadline, bool& well) {
    Result<std::unique_ptr<Connection>> opened = co_await endpoint.connect(deadline, false);
    well = opened.has_value();
    if (opened) endpoint.pool().give(std::move(*opened));
  }
  bool connect(Endpoint& endpoint) {
    bool well = false;
    endpoint.pool().reserve(false);
    run(keep_connect(endpoint, soon(), well));
    return well;
  }

  // All connections to it are in use, until the place is given back.
  Place fill(char wanted) { return service_->place_at(&choose_one(wanted), Want::any); }

  static loop::Task<void> until_known(loop::Loop& loop, const Service& service,
                                      std::size_t endpoints, Deadline most) {
    while (service.endpoint_count() < endpoints && !most.passed(loop.now()))
      co_await loop.sleep(Duration(1));
  }

  // Waits for a place and writes down where, or why not.
  static loop::Task<void> wait(Service& service, Waiter& waiter, Deadline deadline,
                               std::string name, std::vector<std::string>& ends) {
    Result<Place> place = co_await service.await_place(waiter, deadline);
    ends.push_back(name + (place ? "" : ": " + std::string(place.error().reason)));
    if (place) place->give_back();
  }

  ServiceConfig config_;
  observe::EventLog events_;
  observe::Metrics metrics_;
  observe::ServiceSeries series_ = metrics_.make_shard().service(0);
  std::optional<tls::PerCore> tls_;
  std::optional<loop::NameServer> names_;
  std::optional<loop::Resolver> resolver_;
  std::optional<Service> service_;
};
DOORWARD_BOTH_BACKENDS(ServiceTest);

TEST_P(ServiceTest, GivesEachEndpointItsWeightInEveryRound) {
  const std::vector<std::vector<std::uint32_t>> kWeights = {
      {1, 1}, {1, 1, 1}, {2, 1}, {5, 1, 1}, {1, 2, 3}, {7, 3}, {100, 1}, {3, 3, 3, 1}, {6, 10, 15}};
  for (const auto& weights : kWeights) {
    with_weights(weights);
    const auto round = std::accumulate(weights.begin(), weights.end(), 0u);
    for (int i = 0; i < 3; ++i) {
      const std::string chosen = choose(round);
      for (std::size_t j = 0; j < weights.size(); ++j) {
        EXPECT_EQ(std::ranges::count(chosen, static_cast<char>('a' + j)), weights[j]) << chosen;
      }
    }
  }
}

TEST_P(ServiceTest, SpreadsAHeavyEndpointOverTheRound) {
  with_weights({5, 1, 1});
  EXPECT_EQ(choose(14), "aabacaaaabacaa");
  with_weights({2, 1});
  EXPECT_EQ(choose(6), "abaaba");
}

TEST_P(ServiceTest, TakesOutAnEndpointOfWeightZero) {
  with_weights({1, 0, 2});
  EXPECT_EQ(service_->endpoint_count(), 2u);
  EXPECT_EQ(choose(6), "babbab");
  EXPECT_EQ(choose_one('b').address().port(), kFirstPort + 2);
}

TEST_P(ServiceTest, LeavesOutThoseThatWereTriedUntilNoneIsLeft) {
  with_weights({1, 2, 1});
  Tried tried;
  tried.add(choose_one('b'));
  const std::string others = choose(8, tried);
  EXPECT_EQ(std::ranges::count(others, 'a'), 4) << others;
  EXPECT_EQ(std::ranges::count(others, 'c'), 4) << others;
  tried.add(choose_one('a'));
  EXPECT_EQ(choose(3, tried), "ccc");
  EXPECT_TRUE(service_->has_untried(tried));
  tried.add(choose_one('c'));
  EXPECT_EQ(choose(1, tried), "-");
  EXPECT_FALSE(service_->has_untried(tried));
}

TEST_P(ServiceTest, TheOnlyEndpointIsChosenUnlessItWasTried) {
  with_weights({3});
  EXPECT_EQ(choose(2), "aa");
  Tried tried;
  tried.add(choose_one('a'));
  EXPECT_EQ(choose(1, tried), "-");
}

TEST_P(ServiceTest, AnEndpointThatRefusedComesLastUntilItAccepts) {
  loop::Address ill, well;
  const int fd = bind_to_loopback(ill);
  listen_on_loopback(well);
  add("http://" + ill.text(), 2);
  add("http://" + well.text());
  make();
  EXPECT_FALSE(connect(choose_one('a')));
  EXPECT_EQ(choose(6), "bbbbbb");
  Tried tried;
  tried.add(choose_one('b'));
  Endpoint* last = service_->choose(tried, Want::any);
  ASSERT_NE(last, nullptr);  // better than nothing
  EXPECT_EQ(letter(*last), 'a');
  ASSERT_EQ(listen(fd, 8), 0);
  EXPECT_TRUE(connect(*last));
  for (int i = 0; i < 3; ++i) {
    const std::string round = choose(3);
    EXPECT_EQ(std::ranges::count(round, 'a'), 2) << round;
    EXPECT_EQ(std::ranges::count(round, 'b'), 1) << round;
  }
}

TEST_P(ServiceTest, PassesOverAFullPoolWhileAnotherHasRoom) {
  config_.pool.max_connections = 1;
  with_weights({1, 1, 1});
  Place a = fill('a');
  const std::string others = choose(4);
  EXPECT_EQ(std::ranges::count(others, 'b'), 2) << others;
  EXPECT_EQ(std::ranges::count(others, 'c'), 2) << others;
  Place b = fill('b');
  Place c = fill('c');
  Endpoint* full = service_->choose({}, Want::any);  // to be waited for
  ASSERT_NE(full, nullptr);
  EXPECT_TRUE(full->pool().full(Want::any));
  a.give_back();
  EXPECT_EQ(choose(3), "aaa");
  b.give_back();
  c.give_back();
}

TEST_P(ServiceTest, WaitsForAFullPoolRatherThanAskWhatRefused) {
  config_.pool.max_connections = 1;
  loop::Address ill, well;
  bind_to_loopback(ill);
  listen_on_loopback(well);
  add("http://" + ill.text());
  add("http://" + well.text());
  make();
  EXPECT_FALSE(connect(choose_one('a')));
  Place place = fill('b');
  EXPECT_EQ(choose(3), "bbb");
  place.give_back();
}

TEST_P(ServiceTest, AddressesOfANameShareItsWeight) {
  add("http://127.0.0.1:9001");
  add("http://two.test:80", 2);
  make();
  EXPECT_EQ(choose(2), "aa");  // the name is not known yet
  run(until_known(*loop_, *service_, 3, soon()));
  for (int i = 0; i < 3; ++i) {
    std::string round = choose(3);
    std::ranges::sort(round);
    EXPECT_EQ(round, "abc");
  }
}

TEST_P(ServiceTest, AttemptsWaitForTheFirstAnswerOfAName) {
  add("http://two.test:80");
  make();
  EXPECT_EQ(choose(1), "-");
  Waiter first({}, Want::any), second({}, Want::any);
  std::vector<std::string> ends;
  loop::Gate gate;
  gate.spawn(wait(*service_, first, soon(), "first", ends));
  run(wait(*service_, second, soon(), "second", ends));
  EXPECT_EQ(ends, (std::vector<std::string>{"first", "second"}));
}

TEST_P(ServiceTest, TellsThatANameHasNoAddress) {
  add("http://missing.test.:80");
  make();
  Waiter waiter({}, Want::any);
  std::vector<std::string> ends;
  run(wait(*service_, waiter, soon(), "it", ends));
  EXPECT_EQ(ends, (std::vector<std::string>{"it: name_unresolved"}));
}

TEST_P(ServiceTest, ServesThoseWhoWaitInOrderAndRefusesWhomTheQueueCannotHold) {
  config_.pool.max_connections = 1;
  config_.pool.queue.size = 2;
  with_weights({1});
  Place place = fill('a');
  Waiter first({}, Want::any), second({}, Want::any), third({}, Want::any);
  std::vector<std::string> ends;
  loop::Gate gate;
  gate.spawn(wait(*service_, first, soon(), "first", ends));
  gate.spawn(wait(*service_, second, soon(), "second", ends));
  gate.spawn(wait(*service_, third, soon(), "third", ends));
  EXPECT_EQ(ends, (std::vector<std::string>{"third: pool_exhausted"}));
  place.give_back();
  run(all_of(gate));
  EXPECT_EQ(ends, (std::vector<std::string>{"third: pool_exhausted", "first", "second"}));
}

TEST_P(ServiceTest, GivesUpWaitingWhenNoneBecomesFree) {
  config_.pool.max_connections = 1;
  config_.pool.queue.timeout = Duration(1);
  with_weights({1});
  Place place = fill('a');
  Waiter waiter({}, Want::any);
  std::vector<std::string> ends;
  run(wait(*service_, waiter, soon(), "it", ends));
  EXPECT_EQ(ends, (std::vector<std::string>{"it: pool_exhausted"}));
  place.give_back();
}

}  // namespace
}  // namespace doorward::upstream
