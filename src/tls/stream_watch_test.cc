// Streams that nobody reads from while they are watched: what a request's client does meanwhile.
#include "tls/stream.h"
#include "tls/tls_fixture.h"

namespace doorward::tls {
namespace {

class StreamWatchTest : public TlsTest {};
DOORWARD_TLS_BOTH_BACKENDS(StreamWatchTest);

struct Watch final : loop::PeerWatch {
  std::optional<ErrorKind> told;
  void on_peer_end(ErrorKind how) override { told = how; }
};

loop::Task<void> sleep_a_little(loop::Loop& loop) { co_await loop.sleep(Duration(1)); }

TEST_P(StreamWatchTest, TellsTheWatchOfTheEnd) {
  for (const bool in_order : {true, false}) {
    Ends ends = shaken();
    ASSERT_TRUE(ends.ok()) << ends.why();
    Watch watch;
    ends.server->watch_peer(&watch);
    run(sleep_a_little(*loop_));
    EXPECT_FALSE(watch.told.has_value());
    if (in_order) {
      ends.client_wire->drop_fin = true;  // close_notify alone says it too
      ends.client->shutdown_send();
    } else {
      ends.client.reset();
    }
    run(sleep_a_little(*loop_));
    ASSERT_TRUE(watch.told.has_value());
    EXPECT_EQ(*watch.told, ErrorKind::closed);
  }
}

TEST_P(StreamWatchTest, KeepsWhatCameWhileOnlyWatched) {
  Ends ends = shaken();
  ASSERT_TRUE(ends.ok()) << ends.why();
  Watch watch;
  ends.server->watch_peer(&watch);
  Result<void> sent;
  run(send_text(*ends.client, "early", sent, soon()));
  run(sleep_a_little(*loop_));
  std::string got;
  std::optional<Error> error;
  run(receive_text(*ends.server, 5, got, error, soon()));
  EXPECT_EQ(got, "early");
  EXPECT_FALSE(watch.told.has_value());
  ends.server->watch_peer(nullptr);
}

// As pipelined requests come: a watch begins while records of the last chunk are still there.
TEST_P(StreamWatchTest, AWatchLosesNoRecordThatIsThere) {
  for (const bool more : {true, false}) {
    Ends ends = shaken();
    ASSERT_TRUE(ends.ok()) << ends.why();
    Result<void> sent;
    std::string got;
    std::optional<Error> error;
    for (const char* text : {"one", "two", "six"}) run(send_text(*ends.client, text, sent, soon()));
    run(receive_text(*ends.server, 3, got, error, soon()));
    EXPECT_EQ(got, "one");
    Watch watch;
    ends.server->watch_peer(&watch);
    if (more) run(send_text(*ends.client, "ten", sent, soon()));
    run(sleep_a_little(*loop_));
    ends.server->watch_peer(nullptr);
    run(receive_text(*ends.server, more ? 12 : 9, got, error, soon()));
    EXPECT_EQ(got, more ? "onetwosixten" : "onetwosix");
    EXPECT_FALSE(error.has_value()) << error->cause;
    EXPECT_FALSE(watch.told.has_value());
  }
}

}  // namespace
}  // namespace doorward::tls
