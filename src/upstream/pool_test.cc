#include "upstream/pool.h"

#include <gtest/gtest.h>
#include <vector>

#include "tls/memory_stream.h"
#include "upstream/upstream_fixture.h"

namespace doorward::upstream {
namespace {

using codec::h1::ClientConnection;
using loop::Backend;
using loop::backend_name;
using tls::MemoryStream;

// One request and its response, so that the connection may be used again.
loop::Task<void> exchange(Connection& connection, MemoryStream& backend, Deadline deadline) {
  Arena arena;
  connection.begin(arena);
  http::RequestHead request(arena);
  request.method_text = "GET";
  request.target = "/";
  EXPECT_TRUE(co_await connection.send_request(request, codec::BodySize::empty(), {}, true));
  const std::string response = "HTTP/1.1 204 No Content\r\n\r\n";
  const iovec part = loop::part_of(response);
  EXPECT_TRUE(co_await backend.send({&part, 1}, deadline));
  http::ResponseHead head(arena);
  EXPECT_TRUE(co_await connection.read_response(head, arena, deadline));
  EXPECT_TRUE((co_await connection.read_body())->last);
}

loop::Task<void> speak_unasked(MemoryStream& backend, Deadline deadline) {
  const std::string words = "HTTP/1.1 408 Request Timeout\r\n\r\n";
  const iovec part = loop::part_of(words);
  EXPECT_TRUE(co_await backend.send({&part, 1}, deadline));
}

loop::Task<void> sleep_until_none_is_idle(loop::Loop& loop, const Pool& pool, Deadline most) {
  while (pool.idle() > 0 && !most.passed(loop.now())) co_await loop.sleep(Duration(1));
}

class PoolTest : public UpstreamTest {
 protected:
  void TearDown() override {
    pool_.reset();
    backends_.clear();
    UpstreamTest::TearDown();
  }

  Pool& pool(Pool::Kind kind = Pool::Kind::separate, bool single_use = false) {
    return pool_.emplace(*loop_, service_.pool, series_, *queue_, kind, single_use);
  }

  // A new connection, in the room that was reserved for it; its other end is backends_.back().
  std::unique_ptr<ClientConnection> opened() {
    auto [ours, theirs] = MemoryStream::pair(*loop_);
    backends_.push_back(std::move(theirs));
    return std::make_unique<ClientConnection>(*loop_, std::move(ours), settings_->http1);
  }
  std::unique_ptr<Connection> open() {
    pool_->reserve(false);
    return pool_->add_separate(opened());
  }
  // … with one exchange behind it.
  std::unique_ptr<Connection> used() {
    std::unique_ptr<Connection> connection = open();
    run(exchange(*connection, *backends_.back(), soon()));
    return connection;
  }
  // Gives back `count` used ones, one after the other; the addresses tell them apart.
  std::vector<Connection*> give(std::size_t count) {
    std::vector<std::unique_ptr<Connection>> connections;
    std::vector<Connection*> given;
    for (std::size_t i = 0; i < count; ++i) connections.push_back(used());
    for (auto& connection : connections) {
      given.push_back(connection.get());
      pool_->give(std::move(connection));
    }
    return given;
  }

  std::optional<Pool> pool_;
  std::vector<std::unique_ptr<MemoryStream>> backends_;
};
DOORWARD_BOTH_BACKENDS(PoolTest);

TEST_P(PoolTest, HandsOutTheOneThatWasUsedLast) {
  pool();
  const std::vector<Connection*> given = give(3);
  EXPECT_EQ(pool_->idle(), 3u);
  for (const std::size_t i : {2u, 1u, 0u}) EXPECT_EQ(pool_->take().release(), given[i]);
  EXPECT_EQ(pool_->take(), nullptr);
  for (Connection* connection : given) pool_->give(std::unique_ptr<Connection>(connection));
  EXPECT_EQ(pool_->idle(), 3u);
}

TEST_P(PoolTest, CountsThoseThatAreOpenWhereverTheyAre) {
  pool();
  pool_->reserve(false);
  EXPECT_EQ(pool_->open(), 1u);
  EXPECT_EQ(connections_open(), 0u);  // not yet
  std::unique_ptr<Connection> connection = pool_->add_separate(opened());
  EXPECT_EQ(connections_open(), 1u);
  run(exchange(*connection, *backends_.back(), soon()));
  pool_->give(std::move(connection));
  connection = pool_->take();
  EXPECT_EQ(pool_->open(), 1u);
  EXPECT_EQ(connections_open(), 1u);
  pool_->give(std::move(connection));
  pool_.reset();
  EXPECT_EQ(connections_open(), 0u);
}

TEST_P(PoolTest, ClosesWhatCannotBeUsedAgain) {
  pool();
  pool_->give(open());  // its exchange never ended
  EXPECT_EQ(pool_->idle(), 0u);
  EXPECT_EQ(pool_->open(), 0u);
  pool(Pool::Kind::separate, true);
  pool_->give(used());
  EXPECT_EQ(pool_->idle(), 0u);
  EXPECT_EQ(pool_->open(), 0u);
  EXPECT_EQ(connections_open(), 0u);
}

TEST_P(PoolTest, KeepsNoMoreThanAskedFor) {
  service_.pool.max_idle = 2;
  pool();
  const std::vector<Connection*> given = give(3);
  EXPECT_EQ(pool_->idle(), 2u);
  EXPECT_EQ(pool_->open(), 2u);
  EXPECT_EQ(pool_->take().get(), given[1]);
}

TEST_P(PoolTest, KeepsOneMoreWhileSomebodyWaits) {
  service_.pool.max_idle = 0;
  pool();
  std::unique_ptr<Connection> connection = used();
  Waiter waiter({}, Want::any);
  std::vector<int> ends;
  loop::Gate gate;
  gate.spawn(wait(*queue_, waiter, soon(), ends));
  pool_->give(std::move(connection));
  EXPECT_EQ(asked_to_serve_, 1);
  EXPECT_EQ(pool_->idle(), 1u);  // for whom the queue gives it to
  waiter.cancel();
  run(all_of(gate));
}

TEST_P(PoolTest, IsFullAtItsLimitUntilOneIsGivenBack) {
  service_.pool.max_connections = 2;
  pool();
  std::unique_ptr<Connection> first = used();
  EXPECT_FALSE(pool_->full(Want::any));
  std::unique_ptr<Connection> second = used();
  EXPECT_TRUE(pool_->full(Want::any));
  EXPECT_TRUE(pool_->full(Want::fresh));
  pool_->give(std::move(first));
  EXPECT_FALSE(pool_->full(Want::any));
  EXPECT_NE(pool_->take(), nullptr);
}

TEST_P(PoolTest, MakesRoomByClosingTheOneThatWasIdleLongest) {
  service_.pool.max_connections = 2;
  pool();
  const std::vector<Connection*> given = give(2);
  EXPECT_FALSE(pool_->may_take(Want::fresh));  // they may be stale
  pool_->reserve(false);
  EXPECT_EQ(pool_->open(), 2u);
  EXPECT_EQ(pool_->idle(), 1u);
  EXPECT_EQ(connections_open(), 1u);
  EXPECT_EQ(pool_->take().get(), given[1]);
  pool_->release(false);
}

TEST_P(PoolTest, LetsGoOfOneThatTheBackendCloses) {
  pool();
  const std::vector<Connection*> given = give(2);
  backends_[1].reset();  // the newest
  EXPECT_EQ(pool_->idle(), 1u);
  EXPECT_EQ(pool_->open(), 1u);
  EXPECT_EQ(connections_open(), 1u);
  EXPECT_EQ(pool_->take().get(), given[0]);
}

TEST_P(PoolTest, OneThatWasClosedMakesRoomForWhoWaits) {
  pool();
  give(1);
  Waiter waiter({}, Want::any);
  std::vector<int> ends;
  loop::Gate gate;
  gate.spawn(wait(*queue_, waiter, soon(), ends));
  backends_[0]->end_of_peer();
  backends_[0].reset();
  EXPECT_EQ(pool_->open(), 0u);
  EXPECT_EQ(asked_to_serve_, 1);
  waiter.cancel();
  run(all_of(gate));
}

TEST_P(PoolTest, HandsOutNoneOnWhichTheBackendSpokeUnasked) {
  pool();
  const std::vector<Connection*> given = give(2);
  run(speak_unasked(*backends_[1], soon()));
  EXPECT_EQ(pool_->take().get(), given[0]);
  EXPECT_EQ(pool_->take(), nullptr);
  EXPECT_EQ(connections_open(), 1u);
}

TEST_P(PoolTest, KeepsNoneThatWentStaleBeforeItCameBack) {
  pool();
  std::unique_ptr<Connection> closed = used();
  std::unique_ptr<Connection> spoken = used();
  backends_[0].reset();
  run(speak_unasked(*backends_[1], soon()));
  pool_->give(std::move(closed));
  pool_->give(std::move(spoken));
  EXPECT_EQ(pool_->idle(), 0u);
  EXPECT_EQ(pool_->open(), 0u);
}

TEST_P(PoolTest, LetsGoOfThoseThatWereIdleTooLong) {
  service_.pool.idle_timeout = Duration(1);
  pool();
  give(2);
  run(sleep_until_none_is_idle(*loop_, *pool_, soon()));
  EXPECT_EQ(pool_->idle(), 0u);
  EXPECT_EQ(pool_->open(), 0u);
  EXPECT_EQ(connections_open(), 0u);
}

TEST_P(PoolTest, ARetiredOneKeepsNothing) {
  pool();
  std::unique_ptr<Connection> busy = used();
  give(1);
  pool_->retire();
  EXPECT_EQ(pool_->idle(), 0u);
  EXPECT_EQ(pool_->open(), 1u);
  pool_->give(std::move(busy));
  EXPECT_EQ(pool_->idle(), 0u);
  EXPECT_EQ(pool_->open(), 0u);
}

TEST_P(PoolTest, WaitsForTheFirstConnectionThatOthersMayShare) {
  pool(Pool::Kind::unknown);
  pool_->reserve(false);
  EXPECT_TRUE(pool_->full(Want::any));
  EXPECT_TRUE(pool_->alone(Want::alone));
  EXPECT_FALSE(pool_->full(Want::alone));  // an upgrade need not wait for it
  pool_->reserve(true);
  std::unique_ptr<Connection> upgraded = pool_->add_alone(opened());
  EXPECT_TRUE(pool_->full(Want::any));  // which tells nothing of the others
  run(exchange(*upgraded, *backends_.back(), soon()));
  pool_->give(std::move(upgraded));
  EXPECT_EQ(pool_->idle(), 0u);
  std::unique_ptr<Connection> first = pool_->add_separate(opened());
  EXPECT_FALSE(pool_->full(Want::any));  // they cannot share, so each opens its own
  EXPECT_FALSE(pool_->alone(Want::alone));
  pool_->give(std::move(first));
  EXPECT_EQ(pool_->open(), 0u);
}

}  // namespace
}  // namespace doorward::upstream
