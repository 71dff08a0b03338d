#include "upstream/endpoint.h"

#include <gtest/gtest.h>

#include "upstream/upstream_fixture.h"

namespace doorward::upstream {
namespace {

using loop::Backend;
using loop::backend_name;
using Opened = Result<std::unique_ptr<Connection>>;

class EndpointTest : public UpstreamTest {
 protected:
  static loop::Task<void> keep_connect(Endpoint& endpoint, Deadline deadline, std::string preamble,
                                       std::optional<Opened>& out,
                                       Deadline client = Deadline::never()) {
    endpoint.pool().reserve(false);
    out = co_await endpoint.connect(deadline, false, preamble, client);
  }
  // Nobody accepts from its full queue, so the kernel drops what comes.
  loop::Address deaf() {
    loop::Address address;
    EXPECT_EQ(listen(bind_to_loopback(address), 0), 0);
    for (int i = 0; i < 3; ++i) {
      descriptors_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(descriptors_.back(), address.raw(), address.size());
    }
    return address;
  }
  Opened connect(Endpoint& endpoint, Deadline deadline, std::string preamble = {}) {
    std::optional<Opened> out;
    run(keep_connect(endpoint, deadline, std::move(preamble), out));
    return std::move(*out);
  }

  // What the backend of one connection has received; over loopback it is there once it was sent.
  static std::string first_bytes(int listening, std::size_t size) {
    const int fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    std::string bytes(size, '\0');
    EXPECT_EQ(recv(fd, bytes.data(), size, MSG_DONTWAIT), static_cast<ssize_t>(size));
    close(fd);
    return bytes;
  }
};
DOORWARD_BOTH_BACKENDS(EndpointTest);

TEST_P(EndpointTest, ARefusalIsTheBackendsAndMayBeTriedElsewhere) {
  loop::Address address;
  bind_to_loopback(address);
  EndpointRef endpoint = make_endpoint(1, address.text());
  const Opened opened = connect(*endpoint, soon());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().reason, "connect_failed");
  EXPECT_EQ(opened.error().side, Side::backend);
  EXPECT_EQ(opened.error().retry, Retry::yes);
  EXPECT_EQ(endpoint->pool().open(), 0u);  // the room is given back
  EXPECT_EQ(connections_open(), 0u);
}

TEST_P(EndpointTest, FailsForASecondAfterARefusalAndNotBefore) {
  loop::Address address;
  bind_to_loopback(address);
  EndpointRef endpoint = make_endpoint(1, address.text());
  EXPECT_FALSE(endpoint->failing(loop_->now()));
  EXPECT_FALSE(connect(*endpoint, soon()).has_value());
  const TimePoint told = loop_->now();  // no earlier than the refusal
  EXPECT_TRUE(endpoint->failing(told));
  EXPECT_FALSE(endpoint->failing(told + Duration(1'000)));
  // A second refusal meanwhile changes nothing: attempts on their way are of the same outage.
  EXPECT_FALSE(connect(*endpoint, soon()).has_value());
  EXPECT_FALSE(endpoint->failing(told + Duration(1'000)));
}

TEST_P(EndpointTest, IsWellAgainOnceItAccepts) {
  loop::Address address;
  const int fd = bind_to_loopback(address);
  EndpointRef endpoint = make_endpoint(1, address.text());
  EXPECT_FALSE(connect(*endpoint, soon()).has_value());
  EXPECT_TRUE(endpoint->failing(loop_->now()));
  ASSERT_EQ(listen(fd, 8), 0);
  Opened opened = connect(*endpoint, soon());
  ASSERT_TRUE(opened.has_value()) << opened.error().cause;
  EXPECT_FALSE(endpoint->failing(loop_->now()));
  EXPECT_EQ(endpoint->pool().open(), 1u);
  EXPECT_EQ(connections_open(), 1u);
  endpoint->pool().give(std::move(*opened));
}

TEST_P(EndpointTest, TellsAConnectionThatTakesTooLong) {
  EndpointRef endpoint = make_endpoint(1, deaf().text());
  service_.timeouts.connect = Duration(20);
  const Opened opened = connect(*endpoint, soon());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().reason, "connect_timeout");
  EXPECT_EQ(opened.error().retry, Retry::yes);
  EXPECT_TRUE(endpoint->failing(loop_->now()));
}

TEST_P(EndpointTest, ClientsInAHurrySayNothingOfItBeforeTheyHaveWaitedEnoughTogether) {
  EndpointRef endpoint = make_endpoint(1, deaf().text());
  const auto hurry = [&](Duration time) {
    std::optional<Opened> out;
    const Deadline client = Deadline::after(loop_->now(), time);
    run(keep_connect(*endpoint, client, {}, out, client));
    ASSERT_FALSE(out->has_value());
    EXPECT_EQ(out->error().reason, "connect_timeout");
  };
  hurry(Duration(20));
  EXPECT_FALSE(endpoint->failing(loop_->now()));
  hurry(Duration(490));
  EXPECT_TRUE(endpoint->failing(loop_->now()));
}

TEST_P(EndpointTest, AShortTimeOfTheOperatorsSaysThatItFails) {
  EndpointRef endpoint = make_endpoint(1, deaf().text());
  EXPECT_FALSE(connect(*endpoint, Deadline::after(loop_->now(), Duration(20))).has_value());
  EXPECT_TRUE(endpoint->failing(loop_->now()));
}

TEST_P(EndpointTest, BeginsAConnectionWithTheProxyHeader) {
  loop::Address address;
  const int listening = listen_on_loopback(address);
  service_.proxy_protocol = SendProxyProtocol::v1;
  EndpointRef endpoint = make_endpoint(1, address.text());
  const std::string header = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
  Opened opened = connect(*endpoint, soon(), header);
  ASSERT_TRUE(opened.has_value()) << opened.error().cause;
  EXPECT_EQ(first_bytes(listening, header.size()), header);
  endpoint->pool().give(std::move(*opened));
  const std::string own = "PROXY UNKNOWN\r\n";  // Doorward asks for itself
  opened = connect(*endpoint, soon());
  ASSERT_TRUE(opened.has_value()) << opened.error().cause;
  EXPECT_EQ(first_bytes(listening, own.size()), own);
  endpoint->pool().give(std::move(*opened));
  EXPECT_EQ(endpoint->pool().open(), 0u);
}

TEST_P(EndpointTest, IsCalledByItsAddressAndAskedByItsName) {
  EndpointConfig config = parse_endpoint("http://orders.internal:9001").endpoint;
  EndpointRef named =
      new Endpoint(*settings_, *queue_, config, *loop::Address::parse("10.0.0.7:9001"), 1);
  EXPECT_EQ(named->url(), "http://10.0.0.7:9001");
  EXPECT_EQ(named->authority(), "orders.internal:9001");
  config = parse_endpoint("unix:/run/orders.sock").endpoint;
  EndpointRef local =
      new Endpoint(*settings_, *queue_, config, *loop::Address::parse("unix:/run/orders.sock"), 2);
  EXPECT_EQ(local->url(), "unix:/run/orders.sock");
}

}  // namespace
}  // namespace doorward::upstream
