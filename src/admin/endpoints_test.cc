#include "admin/endpoints.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace doorward::admin {
namespace {

constexpr std::string_view kToken = "0123456789abcdef";

class FakeSource final : public AdminSource {
 public:
  bool ready() const override { return is_ready; }
  std::string metrics_text() override { return "a_metric 1\n"; }
  std::string config_text() override {
    return "admin: {token: " + std::string(kToken) + "}\n# " + std::string(kToken) + "\n";
  }
  bool is_ready = true;
};

class EndpointsTest : public testing::Test {
 protected:
  AdminReply get(std::string_view target, std::string_view authorization = {}) const {
    return endpoints_.answer(
        {.method = "GET", .target = target, .host = "localhost", .authorization = authorization});
  }
  AdminReply from(std::string_view host) const {
    return endpoints_.answer({.method = "GET", .target = "/healthz", .host = host});
  }
  static std::string code(const AdminReply& reply) {
    EXPECT_EQ(reply.content_type, "application/problem+json");
    const auto json = nlohmann::json::parse(reply.body);
    EXPECT_EQ(json["status"], reply.status);
    EXPECT_EQ(json["type"], "https://doorward.dev/problems/" + std::string(json["code"]));
    EXPECT_FALSE(json["title"].empty() || json["detail"].empty());
    return json["code"];
  }

  FakeSource source_;
  Endpoints endpoints_{source_, std::string(kToken)};
};

TEST_F(EndpointsTest, AProblemTellsTheRequestsId) {
  const AdminReply reply = endpoints_.answer({.id = "0123", .method = "GET", .target = "/nothing"});
  EXPECT_EQ(nlohmann::json::parse(reply.body)["request_id"], "0123");
}

TEST_F(EndpointsTest, HealthNeedsNoToken) {
  source_.is_ready = false;
  const AdminReply reply = get("/healthz");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "ok\n");
}

TEST_F(EndpointsTest, ReadinessFollowsTheProcess) {
  EXPECT_EQ(get("/readyz").status, 200);
  source_.is_ready = false;
  const AdminReply reply = get("/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(code(reply), "not_ready");
}

TEST_F(EndpointsTest, MetricsAreTextForPrometheus) {
  const AdminReply reply = get("/metrics?name=a", "Bearer 0123456789abcdef");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply.body, "a_metric 1\n");
}

TEST_F(EndpointsTest, TheConfigIsShownWithoutTheToken) {
  const AdminReply reply = get("/config", "Bearer 0123456789abcdef");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "admin: {token: ***}\n# ***\n");
}

TEST_F(EndpointsTest, ATokenOfEitherSpellingOfTheSchemeIsTaken) {
  EXPECT_EQ(get("/metrics", "bearer 0123456789abcdef").status, 200);
  EXPECT_EQ(get("/metrics", "BEARER   0123456789abcdef").status, 200);
}

TEST_F(EndpointsTest, AnythingButTheTokenIsUnauthorized) {
  for (const std::string_view shown :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0",
        "Bearer 0123456789abcdeF", "Bearer 0123456789abcdef0123456789abcdef",
        "Basic 0123456789abcdef", "0123456789abcdef", "Bearer\t0123456789abcdef"}) {
    for (const std::string_view path : {"/metrics", "/config"}) {
      const AdminReply reply = get(path, shown);
      EXPECT_EQ(reply.status, 401) << shown;
      EXPECT_TRUE(reply.asks_for_token) << shown;
      EXPECT_EQ(code(reply), "unauthorized");
    }
  }
}

TEST_F(EndpointsTest, UnknownPathsAreNotFound) {
  for (const std::string_view path : {"/nothing", "/healthz/", "//healthz", "/HEALTHZ", "*", ""}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(code(get("/nothing")), "not_found");
}

TEST_F(EndpointsTest, OnlyGetAndHeadAreAllowed) {
  for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    const AdminReply reply = endpoints_.answer({.method = method, .target = "/healthz"});
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_TRUE(reply.tells_methods);
    EXPECT_EQ(code(reply), "method_not_allowed");
  }
  EXPECT_EQ(endpoints_.answer({.method = "HEAD", .target = "/healthz"}).status, 200);
}

TEST_F(EndpointsTest, BodiesAreRefused) {
  const AdminReply reply =
      endpoints_.answer({.method = "GET", .target = "/healthz", .has_body = true});
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(code(reply), "body_too_large");
}

TEST_F(EndpointsTest, OnLoopbackForeignNamesAreRefused) {
  endpoints_.guard_host(true);
  for (const std::string_view host : {"", "localhost", "localhost:9901", "LOCALHOST.", "127.0.0.1",
                                      "127.0.0.1:9901", "[::1]:9901", "10.1.2.3"}) {
    EXPECT_EQ(from(host).status, 200) << host;
  }
  for (const std::string_view host :
       {"example.com", "example.com:9901", "localhost.example.com", "127.0.0.1.example.com",
        "127.0.0.1.nip.io", "127.1", "0x7f000001", "mylocalhost", "a b"}) {
    const AdminReply reply = from(host);
    EXPECT_EQ(reply.status, 403) << host;
    EXPECT_EQ(code(reply), "host_not_allowed");
  }
}

TEST_F(EndpointsTest, ElsewhereAnyNameWillDo) { EXPECT_EQ(from("gateway.internal").status, 200); }

TEST_F(EndpointsTest, TheOverviewListsWhatThereIs) {
  const AdminReply reply = get("/");
  EXPECT_EQ(reply.content_type, "application/json");
  const auto json = nlohmann::json::parse(reply.body);
  std::vector<std::string> paths;
  for (const auto& endpoint : json["endpoints"]) {
    paths.push_back(endpoint["path"]);
    const int without_token = get(std::string(endpoint["path"])).status;
    EXPECT_EQ(without_token == 401, bool(endpoint["token"])) << endpoint;
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/healthz", "/readyz", "/metrics", "/config"}));
}

}  // namespace
}  // namespace doorward::admin
