// What a route match costs, and that 10,000 routes cost little more than 10. Requests go round a
// table, so that the caches see them as they would in life.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "http/uri.h"
#include "route/route_table.h"

namespace {

using namespace doorward;

enum class Shape : std::int64_t { one_host, many_hosts };

// An API a team might have: literal, parameter and prefix paths, methods on some.
route::RouteTable make_table(std::size_t count, Shape shape) {
  std::vector<route::RouteSpec> specs;
  for (std::size_t i = 0; i < count; ++i) {
    route::Match match;
    match.hosts = {shape == Shape::one_host ? "api.example.com"
                                            : fmt::format("s{}.example.com", i / 10)};
    const std::string base = fmt::format("/v1/service{}", i);
    match.paths = {{i % 3 == 0   ? base + "/{id}"
                    : i % 3 == 1 ? base + "/items/{id}/lines"
                                 : base + "/**"}};
    if (i % 2 == 0) match.methods = {"GET", "POST"};
    specs.push_back({fmt::format("r{}", i), std::move(match), 0});
  }
  return *route::RouteTable::build(std::move(specs));
}

void match_routes(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto shape = static_cast<Shape>(state.range(1));
  const route::RouteTable table = make_table(count, shape);
  std::vector<std::string> hosts, paths;
  constexpr std::size_t kRequests = 256;
  for (std::size_t i = 0; i < kRequests; ++i) {
    const std::size_t of = i * 7919 % count;
    hosts.push_back(shape == Shape::one_host ? "api.example.com"
                                             : fmt::format("s{}.example.com", of / 10));
    const std::string base = fmt::format("/v1/service{}", of);
    paths.push_back(of % 3 == 0   ? base + "/4711"
                    : of % 3 == 1 ? base + "/items/4711/lines"
                                  : base + "/a/b");
  }
  std::size_t i = 0;
  for (auto _ : state) {
    route::RouteRequest request;
    request.host = hosts[i];
    request.path = paths[i];
    const route::RouteMatch match = table.match(request);
    if (!match.matched()) state.SkipWithError("no match");
    benchmark::DoNotOptimize(match.route);
    i = (i + 1) % kRequests;
  }
}
BENCHMARK(match_routes)
    ->ArgNames({"routes", "hosts"})
    ->ArgsProduct({{10, 100, 1000, 10000},
                   {static_cast<std::int64_t>(Shape::one_host),
                    static_cast<std::int64_t>(Shape::many_hosts)}});

void match_regexes(benchmark::State& state) {
  std::vector<route::RouteSpec> specs;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    specs.push_back(
        {fmt::format("r{}", i), {.paths = {{fmt::format("/v[0-9]+/service{}/.*", i), true}}}, 0});
  }
  const auto table = *route::RouteTable::build(std::move(specs));
  const std::string path = fmt::format("/v1/service{}/x", state.range(0) - 1);
  for (auto _ : state) {
    route::RouteRequest request;
    request.host = "api.example.com";
    request.path = path;
    benchmark::DoNotOptimize(table.match(request).route);
  }
}
BENCHMARK(match_regexes)->Arg(1)->Arg(4)->Arg(64)->Arg(1000);

void normalize_path(benchmark::State& state) {
  const std::string path = state.range(0) == 0   ? "/orders/12345678"
                           : state.range(0) == 1 ? "/v1/accounts/4711/orders/12345678/lines"
                                                 : "/a/%7Euser/../b//c";
  std::byte memory[256];
  for (auto _ : state) {
    Arena arena(memory, sizeof memory);
    benchmark::DoNotOptimize(http::normalize_path(path, arena));
  }
}
BENCHMARK(normalize_path)->Arg(0)->Arg(1)->Arg(2);

void split_target(benchmark::State& state) {
  const std::string target = "/v1/accounts/4711/orders/12345678?page=1";
  for (auto _ : state) benchmark::DoNotOptimize(http::split_target(target));
}
BENCHMARK(split_target);

void normalize_host(benchmark::State& state) {
  const std::string host = "api.example.com:8080";
  Arena arena;
  for (auto _ : state) benchmark::DoNotOptimize(http::normalize_host(host, arena));
}
BENCHMARK(normalize_host);

}  // namespace
