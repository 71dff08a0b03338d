#include "exchange/told.h"

#include <fmt/format.h>

namespace doorward::exchange {

using schema::Json;

std::string told_reply(const http::Reply& reply) {
  return reply.code.empty() ? fmt::format("{}", reply.status)
                            : fmt::format("{} {}", reply.status, reply.code);
}

Json told_policy(std::string_view name, std::string_view kind, std::string_view mode) {
  return {{"name", name}, {"kind", kind}, {"mode", mode}};
}

Json told_routes(const route::Explanation& why) {
  Json routes = Json::array();
  for (const route::ExplainedRoute& candidate : why.candidates) {
    if (why.winner && candidate.route == *why.winner) continue;
    routes.push_back({{"route", candidate.name},
                      {"claim", candidate.claim},
                      {"matches", candidate.matches},
                      {"reasons", candidate.reasons}});
  }
  return routes;
}

}  // namespace doorward::exchange
