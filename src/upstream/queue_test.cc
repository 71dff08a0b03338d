#include "upstream/queue.h"

#include <gtest/gtest.h>
#include <vector>

#include "loop/loop_fixture.h"

namespace doorward::upstream {
namespace {

using loop::Backend;
using loop::backend_name;

class QueueTest : public loop::LoopTest {
 protected:
  EndpointRef make_endpoint(std::uint32_t number) {
    return new Endpoint(*loop_, parse_endpoint("http://127.0.0.1:9001").endpoint,
                        *loop::Address::parse("127.0.0.1:9001"), number, service_, settings_);
  }

  // Waits and writes down how it ended: the endpoint's number, or minus the kind of error.
  static loop::Task<void> wait(Queue& queue, Waiter& waiter, Deadline deadline,
                               std::vector<int>& ends) {
    Result<EndpointRef> got = co_await queue.wait(waiter, deadline);
    ends.push_back(got ? static_cast<int>((*got)->number()) : -static_cast<int>(got.error().kind));
  }

  ServiceConfig service_;
  codec::h1::ClientSettings settings_;
};
DOORWARD_BOTH_BACKENDS(QueueTest);

TEST_P(QueueTest, ServesInOrderOfComing) {
  Queue queue(*loop_);
  Waiter first, second;
  std::vector<int> ends;
  loop::Gate gate;
  gate.spawn(wait(queue, first, soon(), ends));
  gate.spawn(wait(queue, second, soon(), ends));
  queue.serve_first(make_endpoint(7));
  queue.serve_first(make_endpoint(8));
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(ends.empty());  // they resume later in the turn
  run(loop_->sleep(Duration(1)));
  EXPECT_EQ(ends, (std::vector<int>{7, 8}));
}

TEST_P(QueueTest, OneThatGivesUpLeavesTheOthersInOrder) {
  Queue queue(*loop_);
  Waiter first, second, third;
  std::vector<int> ends;
  loop::Gate gate;
  for (Waiter* waiter : {&first, &second, &third}) {
    gate.spawn(wait(queue, *waiter, soon(), ends));
  }
  second.cancel();
  second.cancel();  // does nothing: it waits no more
  queue.serve_first(make_endpoint(1));
  queue.serve_first(make_endpoint(3));
  run(loop_->sleep(Duration(1)));
  EXPECT_EQ(ends, (std::vector<int>{-static_cast<int>(ErrorKind::cancelled), 1, 3}));
}

TEST_P(QueueTest, EndsWithItsDeadline) {
  Queue queue(*loop_);
  Waiter waiter;
  std::vector<int> ends;
  run(wait(queue, waiter, in(1), ends));
  EXPECT_EQ(ends, (std::vector<int>{-static_cast<int>(ErrorKind::timeout)}));
  EXPECT_TRUE(queue.empty());
}

TEST_P(QueueTest, AnEndpointLivesAsLongAsSomebodyHoldsIt) {
  EndpointRef listed = make_endpoint(1);
  EndpointRef attempt = listed;
  listed = nullptr;
  EXPECT_EQ(attempt->number(), 1u);
  attempt = make_endpoint(2);
  EXPECT_EQ(attempt->number(), 2u);
}

TEST_P(QueueTest, TriedKnowsEndpointsByTheirNumber) {
  Tried tried;
  EndpointRef a = make_endpoint(1);
  EndpointRef b = make_endpoint(65);
  tried.add(*a);
  EXPECT_TRUE(tried.has(*a));
  EXPECT_FALSE(tried.has(*b));
  tried.add(*b);
  tried.add(*make_endpoint(3));
  EXPECT_TRUE(tried.full());
  EXPECT_TRUE(tried.has(*b));
}

}  // namespace
}  // namespace doorward::upstream
