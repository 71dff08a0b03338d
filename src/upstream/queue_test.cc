#include "upstream/queue.h"

#include <gtest/gtest.h>
#include <vector>

#include "upstream/upstream_fixture.h"

namespace doorward::upstream {
namespace {

using loop::Backend;
using loop::backend_name;

class QueueTest : public UpstreamTest {
 protected:
  Place place(std::uint32_t number) { return {make_endpoint(number), nullptr}; }
};
DOORWARD_BOTH_BACKENDS(QueueTest);

TEST_P(QueueTest, ServesInOrderOfComing) {
  Waiter first({}, Want::any), second({}, Want::any);
  std::vector<int> ends;
  loop::Gate gate;
  gate.spawn(wait(*queue_, first, soon(), ends));
  gate.spawn(wait(*queue_, second, soon(), ends));
  queue_->serve(0, place(7));
  queue_->serve(0, place(8));
  EXPECT_TRUE(queue_->empty());
  EXPECT_TRUE(ends.empty());  // they resume later in the turn
  run(all_of(gate));
  EXPECT_EQ(ends, (std::vector<int>{7, 8}));
}

TEST_P(QueueTest, OneThatGivesUpLeavesTheOthersInOrder) {
  Waiter first({}, Want::any), second({}, Want::any), third({}, Want::any);
  std::vector<int> ends;
  loop::Gate gate;
  for (Waiter* waiter : {&first, &second, &third}) {
    gate.spawn(wait(*queue_, *waiter, soon(), ends));
  }
  second.cancel();
  second.cancel();  // does nothing: it waits no more
  queue_->serve(0, place(1));
  queue_->serve(0, place(3));
  run(all_of(gate));
  EXPECT_EQ(ends, (std::vector<int>{-static_cast<int>(ErrorKind::cancelled), 1, 3}));
}

TEST_P(QueueTest, EndsWithItsDeadline) {
  Waiter waiter({}, Want::any);
  std::vector<int> ends;
  run(wait(*queue_, waiter, in(1), ends));
  EXPECT_EQ(ends, (std::vector<int>{-static_cast<int>(ErrorKind::timeout)}));
  EXPECT_TRUE(queue_->empty());
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

TEST_P(QueueTest, IsServedWhenAPoolHasRoomAgain) {
  service_.pool.max_connections = 1;
  EndpointRef endpoint = make_endpoint(1);
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
  gate.spawn(wait(*queue_, waiter, soon(), ends));
  pool.release(false);
  EXPECT_EQ(asked_to_serve_, 1);
  pool.retire();
  pool.reserve(false);
  pool.release(false);
  EXPECT_EQ(asked_to_serve_, 1);  // its room is nobody's any more
  waiter.cancel();
  run(all_of(gate));
}

}  // namespace
}  // namespace doorward::upstream
