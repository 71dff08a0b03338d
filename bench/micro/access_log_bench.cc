// The cost of one access log line to the request's core: formatting alone, and with the ring and
// the writer thread behind it (lines to /dev/null). Also ids and a route's counters.
#include <benchmark/benchmark.h>

#include "observe/access_log.h"
#include "observe/request_id.h"

namespace doorward::observe {
namespace {

AccessRecord usual_record() {
  AccessRecord record;
  record.time = WallTime(std::chrono::milliseconds(1'767'323'045'678));
  record.request_id = "0b5a7c4e-1f7e-4c52-9d6b-6e1c2d3f4a5b";
  record.listener = "web";
  record.client_ip = "203.0.113.77";
  record.method = "GET";
  record.host = "api.example.com";
  record.path = "/orders/7/items";
  record.query = {"page=2&sort=name"};
  record.protocol = "HTTP/1.1";
  record.status = 200;
  record.bytes_in = 321;
  record.bytes_out = 1764;
  record.route = "orders";
  record.service = "orders";
  record.endpoint = "http://127.0.0.1:9001";
  record.attempts = 1;
  record.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
  record.total = StepTime(1234);
  record.request_policies = StepTime(3);
  record.connect = StepTime(0);
  record.first_byte = StepTime(1100);
  record.response = StepTime(20);
  return record;
}

void format_line(benchmark::State& state) {
  const AccessFormat format = AccessFormat({}, AccessLogConfig{}.mask_query);
  const AccessRecord record = usual_record();
  TimeStamp stamp;
  std::vector<char> room(format.most_bytes(record, 8192));
  for (auto _ : state) {
    benchmark::DoNotOptimize(format.most_bytes(record, 8192));
    benchmark::DoNotOptimize(format.write(record, stamp, 8192, room.data()));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(format_line);

void write_line(benchmark::State& state) {
  EventLog events;
  Metrics metrics;
  MetricsShard& shard = metrics.make_shard();
  AccessLogConfig config;
  config.path = "/dev/null";
  auto log = *AccessLog::open(config, 1, events, metrics.make_shard());
  const AccessRecord record = usual_record();
  for (auto _ : state) log->core(0).write(record, shard);
}
BENCHMARK(write_line);

void uuid(benchmark::State& state) {
  Random random;
  char id[kUuidLength];
  for (auto _ : state) {
    write_uuid(random, id);
    benchmark::DoNotOptimize(id);
  }
}
BENCHMARK(uuid);

void count_request(benchmark::State& state) {
  Metrics metrics;
  MetricsShard& shard = metrics.make_shard();
  const Slot slot = metrics.slot(Scope::route, "orders");
  std::uint64_t micros = 90;
  for (auto _ : state) {
    RouteSeries route = shard.route(slot);
    route.begin();
    route.record(200, micros++ & 0xffff, 321, 1764);
  }
}
BENCHMARK(count_request);

}  // namespace
}  // namespace doorward::observe
