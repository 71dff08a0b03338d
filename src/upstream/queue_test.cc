#include "upstream/queue.h"

#include <gtest/gtest.h>
#include <vector>

#include "loop/loop_fixture.h"

namespace doorward::upstream {
namespace {

using loop::Backend;
using loop::backend_name;

class QueueTest : public loop::LoopTest, protected Queue::Server {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    tls_.emplace(*loop_);
    settings_.emplace(*loop_, *tls_, events_, connections_, service_, series_, nullptr);
  }

  EndpointRef make_endpoint(Queue& queue, std::uint32_t number) {
    return new Endpoint(*settings_, queue, parse_endpoint("http://127.0.0.1:9001").endpoint,
                        *loop::Address::parse("127.0.0.1:9001"), number);
  }

  Place place(Queue& queue, std::uint32_t number) {
    return {make_endpoint(queue, number), nullptr};
  }

  // Waits and writes down how it ended: the endpoint's number, or minus the kind of error.
  static loop::Task<void> wait(Queue& queue, Waiter& waiter, Deadline deadline,
                               std::vector<int>& ends) {
    Result<Place> got = co_await queue.wait(waiter, deadline);
    ends.push_back(got ? static_cast<int>(got->endpoint->number())
                       : -static_cast<int>(got.error().kind));
  }

  void serve_queue() override { ++asked_to_serve_; }
  void on_connect_failed(const Error&) override {}

  int asked_to_serve_ = 0;
  ServiceConfig service_;
  observe::EventLog events_;
  observe::Metrics metrics_;
  observe::ServiceSeries series_ = metrics_.make_shard().service(0);
  loop::Gate connections_;
  std::optional<tls::PerCore> tls_;
  std::optional<ConnectionSettings> settings_;
};
DOORWARD_BOTH_BACKENDS(QueueTest);

TEST_P(QueueTest, ServesInOrderOfComing) {
  Queue queue(*loop_, *this);
  Waiter first({}, Want::any), second({}, Want::any);
  std::vector<int> ends;
  loop::Gate gate;
  gate.spawn(wait(queue, first, soon(), ends));
  gate.spawn(wait(queue, second, soon(), ends));
  queue.serve(0, place(queue, 7));
  queue.serve(0, place(queue, 8));
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(ends.empty());  // they resume later in the turn
  run(loop_->sleep(Duration(1)));
  EXPECT_EQ(ends, (std::vector<int>{7, 8}));
}

TEST_P(QueueTest, OneThatGivesUpLeavesTheOthersInOrder) {
  Queue queue(*loop_, *this);
  Waiter first({}, Want::any), second({}, Want::any), third({}, Want::any);
  std::vector<int> ends;
  loop::Gate gate;
  for (Waiter* waiter : {&first, &second, &third}) {
    gate.spawn(wait(queue, *waiter, soon(), ends));
  }
  second.cancel();
  second.cancel();  // does nothing: it waits no more
  queue.serve(0, place(queue, 1));
  queue.serve(0, place(queue, 3));
  run(loop_->sleep(Duration(1)));
  EXPECT_EQ(ends, (std::vector<int>{-static_cast<int>(ErrorKind::cancelled), 1, 3}));
}

TEST_P(QueueTest, EndsWithItsDeadline) {
  Queue queue(*loop_, *this);
  Waiter waiter({}, Want::any);
  std::vector<int> ends;
  run(wait(queue, waiter, in(1), ends));
  EXPECT_EQ(ends, (std::vector<int>{-static_cast<int>(ErrorKind::timeout)}));
  EXPECT_TRUE(queue.empty());
}

TEST_P(QueueTest, AnEndpointLivesAsLongAsSomebodyHoldsIt) {
  Queue queue(*loop_, *this);
  EndpointRef listed = make_endpoint(queue, 1);
  EndpointRef attempt = listed;
  listed = nullptr;
  EXPECT_EQ(attempt->number(), 1u);
  attempt = make_endpoint(queue, 2);
  EXPECT_EQ(attempt->number(), 2u);
}

TEST_P(QueueTest, TriedKnowsEndpointsByTheirNumber) {
  Queue queue(*loop_, *this);
  Tried tried;
  EndpointRef a = make_endpoint(queue, 1);
  EndpointRef b = make_endpoint(queue, 65);
  tried.add(*a);
  EXPECT_TRUE(tried.has(*a));
  EXPECT_FALSE(tried.has(*b));
  tried.add(*b);
  tried.add(*make_endpoint(queue, 3));
  EXPECT_TRUE(tried.full());
  EXPECT_TRUE(tried.has(*b));
}

TEST_P(QueueTest, IsServedWhenAPoolHasRoomAgain) {
  service_.pool.max_connections = 1;
  Queue queue(*loop_, *this);
  EndpointRef endpoint = make_endpoint(queue, 1);
  Pool& pool = endpoint->pool();
  pool.reserve(false);
  EXPECT_TRUE(pool.full(Want::any));
  pool.release(false);
  EXPECT_FALSE(pool.full(Want::any));
  EXPECT_EQ(asked_to_serve_, 0);  // nobody waits
  pool.reserve(false);
  Waiter waiter({}, Want::any);
  std::vector<int> ends;
  loop::Gate gate;
  gate.spawn(wait(queue, waiter, soon(), ends));
  pool.release(false);
  EXPECT_EQ(asked_to_serve_, 1);
  pool.retire();
  pool.reserve(false);
  pool.release(false);
  EXPECT_EQ(asked_to_serve_, 1);  // its room is nobody's any more
  waiter.cancel();
  run(loop_->sleep(Duration(1)));
}

}  // namespace
}  // namespace doorward::upstream
