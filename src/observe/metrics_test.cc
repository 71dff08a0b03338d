#include "observe/metrics.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <thread>

#include "observe/prometheus.h"

namespace doorward::observe {
namespace {

// The samples of an exposition: "name{labels}" -> value. Fails the test on a malformed line, a
// sample without HELP and TYPE before it, a doubled series or a family in two pieces.
std::map<std::string, double> parse(const std::string& text) {
  static const std::regex kHelp(R"(# HELP ([a-z0-9_]+) (.+))");
  static const std::regex kType(R"(# TYPE ([a-z0-9_]+) (counter|gauge|histogram))");
  static const std::regex kSample(
      R"re(([a-z0-9_]+)(\{[a-z_]+="([^"\\\n]|\\[\\"n])*"(,[a-z_]+="([^"\\\n]|\\[\\"n])*")*\})? ([-+.e0-9]+))re");
  std::map<std::string, double> samples;
  std::vector<std::string> families;
  std::string helped;
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    EXPECT_NE(end, std::string::npos) << "the last line ends";
    const std::string line = text.substr(at, end - at);
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) {
      helped = match[1];
      EXPECT_EQ(std::ranges::count(families, helped), 0) << helped << " comes twice";
    } else if (std::regex_match(line, match, kType)) {
      EXPECT_EQ(match[1], helped);
      families.push_back(helped);
    } else if (std::regex_match(line, match, kSample)) {
      EXPECT_TRUE(std::string(match[1]).starts_with(families.back())) << line;
      const std::string key = match[1].str() + match[2].str();
      EXPECT_TRUE(samples.emplace(key, std::stod(match[6])).second) << "doubled: " << key;
    } else {
      ADD_FAILURE() << "malformed: " << line;
    }
  }
  return samples;
}

TEST(Metrics, AddsUpShards) {
  Metrics metrics;
  MetricsShard& one = metrics.make_shard();
  MetricsShard& two = metrics.make_shard();
  one.add(Metric::loop_turns);
  two.add(Metric::loop_turns, 41);
  one.add_value(Metric::reloads, static_cast<unsigned>(ReloadResult::failed));
  const auto samples = parse(render_prometheus(metrics));
  EXPECT_EQ(samples.at("doorward_loop_turns_total"), 42);
  EXPECT_EQ(samples.at(R"(doorward_reloads_total{result="ok"})"), 0);
  EXPECT_EQ(samples.at(R"(doorward_reloads_total{result="failed"})"), 1);
}

TEST(Metrics, GaugeMayRiseOnOneCoreAndFallOnAnother) {
  Metrics metrics;
  const Slot web = metrics.slot(Scope::listener, "web");
  metrics.make_shard().listener(web).raise(Metric::connections_open, 2);
  metrics.make_shard().listener(web).lower(Metric::connections_open);
  EXPECT_EQ(parse(render_prometheus(metrics)).at(R"(doorward_connections_open{listener="web"})"),
            1);
}

TEST(Metrics, RouteRecordsClassDurationAndBytes) {
  Metrics metrics;
  MetricsShard& shard = metrics.make_shard();
  RouteSeries route = shard.route(metrics.slot(Scope::route, "orders"));
  for (const unsigned status : {200U, 204U, 404U, 0U, 999U}) {
    route.begin();
    route.record(status, 1500, 10, 100);
  }
  route.begin();
  const auto samples = parse(render_prometheus(metrics));
  EXPECT_EQ(samples.at(R"(doorward_route_requests_total{route="orders",status="2xx"})"), 2);
  EXPECT_EQ(samples.at(R"(doorward_route_requests_total{route="orders",status="4xx"})"), 1);
  EXPECT_EQ(samples.at(R"(doorward_route_requests_total{route="orders",status="none"})"), 2);
  EXPECT_EQ(samples.at(R"(doorward_route_in_flight{route="orders"})"), 1);
  EXPECT_EQ(samples.at(R"(doorward_route_received_bytes_total{route="orders"})"), 50);
  EXPECT_EQ(samples.at(R"(doorward_route_sent_bytes_total{route="orders"})"), 500);
  const std::string bucket = R"(doorward_route_duration_seconds_bucket{route="orders",le=")";
  EXPECT_EQ(samples.at(bucket + "0.001\"}"), 0);
  EXPECT_EQ(samples.at(bucket + "0.0025\"}"), 5);
  EXPECT_EQ(samples.at(bucket + "60\"}"), 5);
  EXPECT_EQ(samples.at(R"(doorward_route_duration_seconds_count{route="orders"})"), 5);
  EXPECT_DOUBLE_EQ(samples.at(R"(doorward_route_duration_seconds_sum{route="orders"})"), 0.0075);
}

TEST(Metrics, AttemptsThatFailedAreTimedApart) {
  Metrics metrics;
  MetricsShard& shard = metrics.make_shard();
  ServiceSeries app = shard.service(metrics.slot(Scope::service, "app"));
  for (int i = 0; i < 5; ++i) app.begin();
  app.answered(200, 1500, {10, 100});
  app.answered(404, 1500, {10, 100});
  app.failed(30'000'000, {10, 0});
  app.abandoned({10, 0});
  const auto samples = parse(render_prometheus(metrics));
  const std::string ends = R"(doorward_service_requests_total{service="app",status=)";
  EXPECT_EQ(samples.at(ends + R"("2xx"})"), 1);
  EXPECT_EQ(samples.at(ends + R"("4xx"})"), 1);
  EXPECT_EQ(samples.at(ends + R"("none"})"), 1);
  EXPECT_EQ(samples.at(ends + R"("abandoned"})"), 1);
  EXPECT_EQ(samples.at(R"(doorward_service_in_flight{service="app"})"), 1);
  EXPECT_EQ(samples.at(R"(doorward_service_sent_bytes_total{service="app"})"), 40);
  EXPECT_EQ(samples.at(R"(doorward_service_received_bytes_total{service="app"})"), 200);
  EXPECT_EQ(samples.at(R"(doorward_service_duration_seconds_count{service="app"})"), 2);
  EXPECT_DOUBLE_EQ(samples.at(R"(doorward_service_duration_seconds_sum{service="app"})"), 0.003);
  const std::string failures = "doorward_service_failure_duration_seconds_";
  EXPECT_EQ(samples.at(failures + R"(bucket{service="app",le="10"})"), 0);
  EXPECT_EQ(samples.at(failures + R"(bucket{service="app",le="30"})"), 1);
  EXPECT_DOUBLE_EQ(samples.at(failures + R"(sum{service="app"})"), 30);
}

TEST(Metrics, HistogramsOfWhatIsRareAreToldOnceSomethingWasObserved) {
  Metrics metrics;
  ServiceSeries app = metrics.make_shard().service(metrics.slot(Scope::service, "app"));
  app.begin();
  const std::string wait = R"(doorward_service_wait_seconds_count{service="app"})";
  EXPECT_FALSE(parse(render_prometheus(metrics)).contains(wait));
  app.observe(Metric::service_wait, 0);
  EXPECT_EQ(parse(render_prometheus(metrics)).at(wait), 1);
}

TEST(Metrics, BucketHoldsItsUpperBound) {
  for (std::size_t i = 0; i < kBucketBounds.size(); ++i) {
    EXPECT_EQ(bucket_of(kBucketBounds[i]), i);
    EXPECT_EQ(bucket_of(kBucketBounds[i] + 1), i + 1);
    if (i > 0) {
      EXPECT_GE(kBucketBounds[i], 2 * kBucketBounds[i - 1]);
    }
  }
  EXPECT_EQ(bucket_of(0), 0U);
  EXPECT_EQ(bucket_of(~std::uint64_t{0}), kBuckets - 1);
}

TEST(Metrics, SameNameKeepsItsSlotAndScopesAreApart) {
  Metrics metrics;
  const Slot a = metrics.slot(Scope::route, "a");
  EXPECT_NE(metrics.slot(Scope::route, "b"), a);
  EXPECT_EQ(metrics.slot(Scope::route, "a"), a);
  EXPECT_EQ(metrics.slot(Scope::service, "other"), a) << "slots of a scope count from one";
}

TEST(Metrics, NamesOverTheBoundShareOneSlot) {
  Metrics metrics(3);
  MetricsShard& shard = metrics.make_shard();
  for (const char* name : {"a", "b", "c", "d"}) {
    shard.route(metrics.slot(Scope::route, name)).add(Metric::route_bytes_sent);
  }
  EXPECT_EQ(metrics.slot(Scope::route, "c"), 0U);
  const auto samples = parse(render_prometheus(metrics));
  EXPECT_EQ(samples.at("doorward_route_sent_bytes_total{route=\"(other)\"}"), 2);
}

TEST(Metrics, LateValuesAreNamedAndTheRestIsOther) {
  Metrics metrics;
  metrics.name_values(Metric::replies, std::array<std::string_view, 2>{"no_route", "timeout"});
  MetricsShard& shard = metrics.make_shard();
  shard.add_value(Metric::replies, 1, 5);
  shard.add_value(Metric::replies, 7);
  shard.add_value(Metric::replies, 1'000'000);
  const auto samples = parse(render_prometheus(metrics));
  EXPECT_FALSE(samples.contains(R"(doorward_replies_total{code="no_route"})"));
  EXPECT_EQ(samples.at(R"(doorward_replies_total{code="timeout"})"), 5);
  EXPECT_EQ(samples.at(R"(doorward_replies_total{code="other"})"), 2);
}

TEST(Metrics, OnlyGrpcStatusesThatWereMetAreTold) {
  Metrics metrics;
  MetricsShard& shard = metrics.make_shard();
  RouteSeries route = shard.route(metrics.slot(Scope::route, "orders"));
  route.add_value(Metric::route_grpc_responses, 0, 3);
  route.add_value(Metric::route_grpc_responses, 16);
  route.add_value(Metric::route_grpc_responses, 17);
  route.add_value(Metric::route_grpc_responses, 99);
  shard.route(metrics.slot(Scope::route, "web")).add(Metric::route_bytes_sent);
  const auto samples = parse(render_prometheus(metrics));
  const std::string name = R"(doorward_route_grpc_responses_total{route="orders",grpc_status=)";
  EXPECT_EQ(samples.at(name + R"("0"})"), 3);
  EXPECT_EQ(samples.at(name + R"("16"})"), 1);
  EXPECT_EQ(samples.at(name + R"("other"})"), 2);
  EXPECT_EQ(std::ranges::count_if(samples,
                                  [](const auto& sample) {
                                    return sample.first.starts_with(
                                        "doorward_route_grpc_responses_total");
                                  }),
            3);
}

TEST(Metrics, BoundsOfBucketsAreWrittenShort) {
  Metrics metrics;
  RouteSeries route = metrics.make_shard().route(metrics.slot(Scope::route, "orders"));
  route.begin();
  route.record(200, 1500, 0, 0);
  for (const std::string& text : {render_prometheus(metrics), render_metrics_reference()}) {
    EXPECT_EQ(text.find("999999"), std::string::npos);
    EXPECT_NE(text.find("5e-05"), std::string::npos);
    EXPECT_NE(text.find("0.025"), std::string::npos);
  }
}

TEST(Metrics, LabelValuesAreEscaped) {
  Metrics metrics;
  const Slot slot = metrics.slot(Scope::route, "a\"b\\c\nd");
  metrics.make_shard().route(slot).add(Metric::route_bytes_sent);
  const auto samples = parse(render_prometheus(metrics));
  EXPECT_EQ(samples.at(R"(doorward_route_sent_bytes_total{route="a\"b\\c\nd"})"), 1);
}

TEST(Metrics, TenThousandRoutesAndOnlyUsedOnesAreTold) {
  Metrics metrics;
  MetricsShard& shard = metrics.make_shard();
  Slot last = 0;
  for (int i = 0; i < 10'000; ++i) last = metrics.slot(Scope::route, "r" + std::to_string(i));
  shard.route(last).add(Metric::route_bytes_sent);
  const std::string text = render_prometheus(metrics);
  EXPECT_EQ(parse(text).at(R"(doorward_route_sent_bytes_total{route="r9999"})"), 1);
  EXPECT_EQ(text.find("\"r9998\""), std::string::npos);
}

TEST(Metrics, ReadWhileCoresCountAndRoutesAreAdded) {
  constexpr int kThreads = 2;
  constexpr int kRounds = 2'000;
  Metrics metrics;
  std::atomic<int> running{kThreads};
  std::vector<std::thread> cores;
  for (int t = 0; t < kThreads; ++t) {
    cores.emplace_back([&metrics, &running, &shard = metrics.make_shard()] {
      for (int i = 0; i < kRounds; ++i) {
        RouteSeries route = shard.route(metrics.slot(Scope::route, "r" + std::to_string(i % 200)));
        route.begin();
        route.record(200, 100, 1, 1);
        shard.add(Metric::loop_turns);
      }
      running.fetch_sub(1);
    });
  }
  while (running.load() > 0) EXPECT_FALSE(render_prometheus(metrics).empty());
  for (std::thread& core : cores) core.join();
  const auto samples = parse(render_prometheus(metrics));
  EXPECT_EQ(samples.at("doorward_loop_turns_total"), kThreads * kRounds);
  EXPECT_EQ(samples.at(R"(doorward_route_requests_total{route="r7",status="2xx"})"),
            kThreads * kRounds / 200);
}

TEST(Metrics, NamesFollowTheConventions) {
  for (const MetricInfo& metric : kMetrics) {
    EXPECT_EQ(metric.name.ends_with("_total"), metric.kind == MetricKind::counter) << metric.name;
    EXPECT_TRUE(metric.help.ends_with('.')) << metric.name;
    EXPECT_EQ(metric.help.find_first_of("\\\n|"), std::string_view::npos) << metric.name;
    if (!metric.unit.empty()) {
      EXPECT_NE(metric.name.find(metric.unit), std::string_view::npos) << metric.name;
    }
  }
}

TEST(Metrics, ReferencePageHasEveryMetric) {
  const std::string page = render_metrics_reference();
  for (const MetricInfo& metric : kMetrics) {
    EXPECT_NE(page.find("| `" + std::string(metric.name) + "` |"), std::string::npos);
  }
}

}  // namespace
}  // namespace doorward::observe
