// Cases of the route table: one match among 10 and among 10,000 routes.
#include <string>
#include <utility>
#include <vector>

#include "replay.h"
#include "route/route_table.h"

namespace doorward::replay {
namespace {

// `count` routes in a mix: exact paths, parameters, prefixes; ten to a service, some by method.
route::RouteTable make_routes(unsigned count) {
  std::vector<route::RouteSpec> specs;
  for (unsigned i = 0; i < count; ++i) {
    const std::string base =
        "/service-" + std::to_string(i / 10) + "/resource-" + std::to_string(i % 10);
    route::RouteSpec spec{.name = "route-" + std::to_string(i), .match = {}, .value = i};
    spec.match.hosts = {i % 3 == 0 ? "*.example.com" : "api.example.com"};
    const char* tail[] = {"", "/{id}", "/**"};
    spec.match.paths = {{.text = base + tail[i % 3], .regex = false}};
    if (i % 4 == 0) spec.match.methods = {"GET", "POST"};
    specs.push_back(std::move(spec));
  }
  auto table = route::RouteTable::build(std::move(specs));
  if (!table) misread("a route");
  return std::move(*table);
}

// Paths of requests that `make_routes(count)` takes, spread over the whole table.
std::vector<std::string> make_paths(unsigned count) {
  std::vector<std::string> paths;
  for (unsigned k = 0; k < 64; ++k) {
    const unsigned i = static_cast<unsigned>(std::uint64_t{k} * 2654435761U % count);
    const char* tail[] = {"", "/4711", "/a/b/c"};
    paths.push_back("/service-" + std::to_string(i / 10) + "/resource-" + std::to_string(i % 10) +
                    tail[i % 3]);
  }
  return paths;
}

route::RouteRequest request_for(std::string_view path) {
  route::RouteRequest request;
  request.host = "api.example.com";
  request.path = path;
  return request;
}

void match_among(unsigned count, unsigned requests) {
  const auto table = make_routes(count);
  const auto paths = make_paths(count);
  for (unsigned i = 0; i < requests; ++i) {
    const auto result = table.match(request_for(paths[i % paths.size()]));
    if (!result.matched()) misread("a path");
    keep(result.value);
  }
}

}  // namespace

void match_10_routes(unsigned requests) { match_among(10, requests); }
void match_10000_routes(unsigned requests) { match_among(10000, requests); }

}  // namespace doorward::replay
