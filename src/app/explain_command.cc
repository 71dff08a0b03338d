// explain: offline, what the configuration would do with a request: which route and why, which
// were near, which policies run in which order, and where it would go.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands.h"
#include "app/offline_exchange.h"
#include "config/compile.h"
#include "config/load.h"
#include "exchange/told.h"
#include "http/uri.h"
#include "route/explain.h"

namespace doorward::app {
namespace {

using schema::Json;

// It may be enough for who asks, whose routes look at no host.
constexpr std::string_view kNoHost =
    "no host is given: as in HTTP/1.0; otherwise it is refused (host_missing)";

const config::PolicyUse& declared(const config::Model& model, const config::PolicyUse& use) {
  for (const auto& named : model.policies) {
    if (named.key == use.name) return named.value;
  }
  return use;
}

std::string_view to_string(config::PolicyMode mode) {
  switch (mode) {
    case config::PolicyMode::enforce:
      return "enforce";
    case config::PolicyMode::shadow:
      return "shadow";
    case config::PolicyMode::off:
      return "off";
  }
  return "";
}

// What a policy does with the request, as far as it can be known offline.
void add_told(const OfflineExchange::Told& told, Json& entry) {
  if (!told.asks.empty()) entry["asks"] = told.asks;
  if (told.shadow != nullptr) entry["would_answer"] = exchange::told_reply(*told.shadow);
  if (told.reply != nullptr) entry["answers"] = exchange::told_reply(*told.reply);
}

// The policies in their order, run one after the other until one answers.
Json policies_of(const config::Model& model, const config::RouteConfig& route,
                 const policy::PolicyChain& chain, OfflineExchange& x) {
  Json list = Json::array();
  auto step = chain.steps().begin();
  bool answered = false;
  for (const auto* uses : {&model.policies_everywhere, &route.policies}) {
    for (const config::PolicyUse& use : *uses) {
      const config::PolicyUse& settings = declared(model, use);
      Json entry = exchange::told_policy(use.name.empty() ? use.kind : use.name, settings.kind,
                                         to_string(settings.mode));
      if (settings.mode != config::PolicyMode::off && step != chain.steps().end()) {
        if (!answered) add_told(x.run(*step), entry);
        answered = answered || entry.contains("answers");
        ++step;
      }
      list.push_back(std::move(entry));
    }
  }
  return list;
}

Json redirect_of(const config::RedirectConfig& redirect, http::TemplateSource& values,
                 Arena& arena) {
  const auto to = http::Template::compile(redirect.to, http::TemplateScope::request);
  const std::string_view place = to ? to->render(values, arena) : std::string_view(redirect.to);
  if (!http::is_location(place, arena)) return {{"problem", "redirect_invalid"}, {"to", place}};
  return {{"redirect", place}, {"status", redirect.status}};
}

Json handler_of(const config::Model& model, const config::RouteConfig& route, OfflineExchange& x) {
  if (route.redirect) return redirect_of(*route.redirect, x, x.arena());
  if (route.respond) return {{"respond", route.respond->status}};
  Json endpoints = Json::array();
  for (const auto& service : model.services) {
    if (service.key != *route.service) continue;
    for (const auto& endpoint : service.value.endpoints) {
      endpoints.push_back({{"url", endpoint.url}, {"weight", endpoint.weight}});
    }
  }
  return {{"service", *route.service}, {"target", x.target()}, {"endpoints", std::move(endpoints)}};
}

Json answer(const config::Model& model, const route::RouteTable& table, OfflineExchange& x,
            schema::Diagnostics& diagnostics) {
  const route::RouteRequest question = x.question();
  const route::Explanation why = route::explain(table, question);
  Json json = {{"request",
                {{"method", question.method_text},
                 {"scheme", x.scheme()},
                 {"host", question.host},
                 {"path", question.path},
                 {"query", question.query}}},
               {"result", route::to_string(why.why)}};
  if (question.host.empty()) json["note"] = kNoHost;
  if (why.winner) {
    const config::RouteConfig& route = model.routes[*why.winner];
    json["route"] = route.name;
    if (!why.precedence.empty()) json["because"] = why.precedence;
    x.take_route(route.name, table.match(question));
    const policy::PolicyChain chain = config::compile_chain(model, route, diagnostics);
    json["policies"] = policies_of(model, route, chain, x);
    json["handler"] = handler_of(model, route, x);
  }
  json["others"] = exchange::told_routes(why);
  return json;
}

void print_others(const Json& json) {
  for (const Json& other : json["others"]) {
    fmt::print("  {} ({})\n", other["route"].get<std::string>(), other["claim"].get<std::string>());
    if (other["matches"].get<bool>()) fmt::print("      matches too, but comes later\n");
    for (const Json& reason : other["reasons"]) {
      fmt::print("      {}\n", reason.get<std::string>());
    }
  }
}

void print_policies(const Json& policies) {
  int number = 0;
  for (const Json& policy : policies) {
    std::string told;
    if (policy.contains("asks")) {
      told = fmt::format(": asks service {}, not asked here", policy["asks"].get<std::string>());
    }
    for (const auto& [key, text] :
         {std::pair{"answers", "answers"}, std::pair{"would_answer", "would answer"}}) {
      if (policy.contains(key)) told = fmt::format(": {} {}", text, policy[key].get<std::string>());
    }
    fmt::print("policy {}  {} ({}, {}){}\n", ++number, policy["name"].get<std::string>(),
               policy["kind"].get<std::string>(), policy["mode"].get<std::string>(), told);
  }
}

bool is_answered(const Json& policies) {
  return std::any_of(policies.begin(), policies.end(),
                     [](const Json& policy) { return policy.contains("answers"); });
}

void print_handler(const Json& json) {
  const Json& handler = json["handler"];
  if (is_answered(json["policies"])) return;
  if (!handler.contains("service")) return fmt::print("handler   {}\n", handler.dump());
  const std::string target = handler["target"].get<std::string>();
  fmt::print("service   {}\n", handler["service"].get<std::string>());
  for (const Json& endpoint : handler["endpoints"]) {
    const std::string url = endpoint["url"].get<std::string>();
    fmt::print("backend   {}{}{} (weight {})\n", url, url.starts_with("unix:") ? " " : "", target,
               endpoint["weight"].get<unsigned>());
  }
}

void print_text(const Json& json) {
  const Json& request = json["request"];
  if (json.contains("note")) fmt::print("note      {}\n", json["note"].get<std::string>());
  fmt::print("request   {} {}{}\n", request["method"].get<std::string>(),
             request["host"].get<std::string>(), request["path"].get<std::string>());
  if (!json.contains("route")) {
    fmt::print("route     none: no route matches ({})\n", json["result"].get<std::string>());
  } else {
    fmt::print("route     {}\n", json["route"].get<std::string>());
    if (json.contains("because")) fmt::print("          {}\n", json["because"].get<std::string>());
    print_policies(json["policies"]);
    print_handler(json);
  }
  if (!json["others"].empty()) fmt::print("others\n");
  print_others(json);
}

// Empty when all went well.
std::string read_question(const ExplainOptions& options, bool client_known, OfflineExchange& x) {
  if (!client_known) {
    return fmt::format("--client {}: must be an IP address such as 192.0.2.7", options.client);
  }
  if (!x.read_request(options.request)) return x.error();
  for (const std::string& header : options.headers) {
    if (!x.read_header(header)) return x.error();
  }
  if (!x.read_tls(options.sni, options.subject, options.names, options.fingerprint)) {
    return x.error();
  }
  return x.read_host() ? std::string() : x.error();
}

}  // namespace

int explain(const ExplainOptions& options) {
  schema::Diagnostics diagnostics;
  const std::optional<config::Loaded> loaded = config::load(options.config, diagnostics);
  const auto table = loaded ? config::compile_routes(loaded->model, diagnostics) : nullptr;
  if (table == nullptr) {
    fmt::print(stderr, "{}", diagnostics.to_text());
    return kBadConfiguration;
  }
  Arena arena;
  const bool colons = options.client.contains(':');
  const auto client = loop::Address::parse(fmt::format(
      fmt::runtime(colons ? "[{}]:0" : "{}:0"), options.client.empty() ? "none" : options.client));
  OfflineExchange x(arena, client ? *client : loop::Address());
  if (std::string error = read_question(options, client.has_value(), x); !error.empty()) {
    fmt::print(stderr, "doorward: {}\n", error);
    return kBadConfiguration;
  }
  const Json json = answer(loaded->model, *table, x, diagnostics);
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
  } else {
    print_text(json);
  }
  return 0;
}

}  // namespace doorward::app
