#include "admin/admin_server.h"

#include "loop/loop_fixture.h"

namespace doorward::admin {
namespace {

using loop::Address;
using loop::Backend;
using loop::backend_name;
using loop::kSoon;
using loop::Socket;
using loop::Task;

class FakeSource final : public AdminSource {
 public:
  bool ready() const override { return true; }
  std::string metrics_text() override { return metrics; }
  std::string config_text() override { return "version: 1\n"; }
  std::string metrics = "a_metric 1\n";
};

class AdminServerTest : public loop::LoopTest {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    make_server("secret-token");
  }

  void make_server(std::string token) {
    server_ = std::make_unique<AdminServer>(*loop_, source_, std::move(token));
  }

  // Serves while `client` runs, then stops; both must come to an end.
  void serve(Task<void> client) {
    server_->start(listen_on_loopback(address_));
    run(then_stop(std::move(client)));
  }
  Task<void> then_stop(Task<void> client) {
    co_await std::move(client);
    co_await server_->stop();
  }

  Task<std::unique_ptr<Socket>> connect() {
    auto connected = co_await loop_->connect(address_, soon());
    EXPECT_TRUE(connected.has_value());
    co_return std::move(*connected);
  }
  Task<void> send(Socket& socket, std::string bytes) {
    EXPECT_TRUE(co_await loop::send_all(socket, std::move(bytes), soon()));
  }
  // Everything until the server ends the connection.
  Task<std::string> until_end(Socket& socket) {
    return loop::receive(socket, std::string::npos, soon());
  }
  Task<void> exchange(std::string request, std::string& response) {
    const std::unique_ptr<Socket> socket = co_await connect();
    co_await send(*socket, std::move(request));
    response = co_await until_end(*socket);
  }
  std::string answer_to(std::string request) {
    std::string response;
    serve(exchange(std::move(request), response));
    return response;
  }

  FakeSource source_;
  Address address_;
  std::unique_ptr<AdminServer> server_;
};

std::string get(std::string_view path, std::string_view more = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) +
         "Connection: close\r\n\r\n";
}
bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST_P(AdminServerTest, AnswersAndNeverLetsAnAnswerBeStored) {
  const std::string response = answer_to(get("/healthz"));
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
  EXPECT_TRUE(response.ends_with("\r\n\r\nok\n")) << response;
  for (const std::string_view line :
       {"cache-control: no-store\r\n", "\r\ndate: ", "x-content-type-options: nosniff\r\n"}) {
    EXPECT_TRUE(has(response, line)) << line;
  }
}

TEST_P(AdminServerTest, TakesTheTokenOfTheConfiguration) {
  EXPECT_TRUE(server_->shown_token().empty());
  EXPECT_TRUE(answer_to(get("/metrics", "Authorization: Bearer secret-token\r\n"))
                  .ends_with("\r\n\r\na_metric 1\n"));
}

TEST_P(AdminServerTest, MakesARandomTokenWhereNoneIsConfigured) {
  make_server("");
  const std::string first = server_->shown_token();
  EXPECT_EQ(first.size(), 32u);
  make_server("");
  EXPECT_NE(server_->shown_token(), first);
  const std::string line = "Authorization: Bearer " + server_->shown_token() + "\r\n";
  EXPECT_TRUE(answer_to(get("/config", line)).ends_with("\r\n\r\nversion: 1\n"));
}

TEST_P(AdminServerTest, AsksForTheToken) {
  const std::string response = answer_to(get("/metrics"));
  EXPECT_TRUE(response.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_TRUE(has(response, "\r\nwww-authenticate: Bearer realm="));
}

TEST_P(AdminServerTest, RefusesTwoAuthorizations) {
  const std::string both =
      "Authorization: Bearer secret-token\r\nAuthorization: Bearer secret-token\r\n";
  EXPECT_FALSE(answer_to(get("/metrics", both)).starts_with("HTTP/1.1 200"));
}

TEST_P(AdminServerTest, TellsTheMethodsThatItKnows) {
  const std::string response =
      answer_to("DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(has(response, "\r\nallow: GET, HEAD\r\n"));
}

TEST_P(AdminServerTest, HeadTellsTheLengthWithoutTheBody) {
  const std::string response =
      answer_to("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(has(response, "\r\ncontent-length: 3\r\n")) << response;
  EXPECT_TRUE(response.ends_with("\r\n\r\n")) << response;
}

TEST_P(AdminServerTest, RefusesForeignNamesOnLoopback) {
  const std::string response =
      answer_to("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(has(response, "\"code\":\"host_not_allowed\""));
}

// A name in an absolute target counts as Host does.
TEST_P(AdminServerTest, RefusesForeignNamesInTargets) {
  EXPECT_TRUE(answer_to("GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\n"
                        "Connection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 403 "));
}

TEST_P(AdminServerTest, RefusesBodiesAndEndsTheConnection) {
  const std::string response =
      answer_to("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 413 ")) << response;
  EXPECT_TRUE(has(response, "\r\nconnection: close\r\n")) << response;
}

TEST_P(AdminServerTest, AnswersMalformedRequests) {
  const std::string response = answer_to("GET /healthz HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(has(response, "\"code\":\"space_before_colon\""));
}

TEST_P(AdminServerTest, RefusesLargeHeads) {
  const std::string line = "X: " + std::string(7000, 'x') + "\r\n";
  EXPECT_TRUE(answer_to(get("/healthz", line + line + line)).starts_with("HTTP/1.1 431 "));
}

TEST_P(AdminServerTest, SendsLargeAnswersWhole) {
  source_.metrics.assign(2'000'000, 'm');
  const std::string response = answer_to(get("/metrics", "Authorization: Bearer secret-token\r\n"));
  const std::size_t end_of_head = response.find("\r\n\r\n");
  ASSERT_NE(end_of_head, std::string::npos);
  EXPECT_EQ(response.size() - end_of_head - 4, 2'000'000u);
}

TEST_P(AdminServerTest, ServesRequestsOfOneConnectionInOrder) {
  const std::string one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string response = answer_to(one + get("/readyz"));
  const std::size_t first = response.find("\r\n\r\nok\n");
  EXPECT_NE(first, std::string::npos);
  EXPECT_GT(response.find("\r\n\r\nready\n"), first);
  EXPECT_TRUE(response.ends_with("\r\n\r\nready\n"));
}

class AdminLimitsTest : public AdminServerTest {
 protected:
  // Opens 64 connections and makes sure that each is served; the next one is refused.
  Task<void> crowd(std::string& refusal) {
    std::vector<std::unique_ptr<Socket>> sockets;
    for (int i = 0; i < 64; ++i) {
      sockets.push_back(co_await connect());
      co_await send(*sockets.back(), "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
      EXPECT_TRUE(
          (co_await loop::receive(*sockets.back(), 12, soon())).starts_with("HTTP/1.1 200"));
    }
    const std::unique_ptr<Socket> late = co_await connect();
    refusal = co_await until_end(*late);
  }
  Task<void> stop_beside(std::string begun, std::string& received) {
    const std::unique_ptr<Socket> socket = co_await connect();
    co_await send(*socket, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + begun);
    EXPECT_TRUE((co_await loop::receive(*socket, 12, soon())).starts_with("HTTP/1.1 200"));
    co_await server_->stop();
    received = co_await until_end(*socket);
  }
};

TEST_P(AdminLimitsTest, RefusesMoreThanSixtyFourConnections) {
  std::string refusal;
  serve(crowd(refusal));
  EXPECT_TRUE(refusal.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << refusal;
  EXPECT_TRUE(has(refusal, "\"code\":\"too_many_connections\""));
}

// stop() is awaited while the client keeps its connection: it must not hold the end up.
TEST_P(AdminLimitsTest, StoppingEndsIdleConnections) {
  std::string received = "nothing";
  server_->start(listen_on_loopback(address_));
  const TimePoint begun = std::chrono::steady_clock::now();
  run(stop_beside("", received));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, Duration(900));
  EXPECT_NE(received, "nothing");
}

TEST_P(AdminLimitsTest, StoppingCutsARequestThatDoesNotEnd) {
  std::string received = "nothing";
  server_->start(listen_on_loopback(address_));
  const TimePoint begun = std::chrono::steady_clock::now();
  run(stop_beside("GET /healthz HTT", received));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, kSoon);
  EXPECT_NE(received, "nothing");
}

DOORWARD_BOTH_BACKENDS(AdminServerTest);
DOORWARD_BOTH_BACKENDS(AdminLimitsTest);

}  // namespace
}  // namespace doorward::admin
