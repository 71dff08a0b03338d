// explain: offline, what the configuration would do with a request: which route and why, which
// were near, which policies run in which order, and where it would go.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands.h"
#include "http/field.h"
#include "http/uri.h"
#include "route/explain.h"

namespace doorward::app {
namespace {

using schema::Json;

// The request as it would be matched. Views live in the arena.
struct Question {
  explicit Question(Arena& arena) : headers(arena) {}
  route::RouteRequest request;
  http::HeaderList headers;
  std::string error;
};

bool read_target(std::string_view target, Question& question, Arena& arena) {
  const auto split = http::split_target(target);
  if (!split) {
    question.error =
        fmt::format("{} ({})", http::sentence(split.error()), http::to_string(split.error()));
    return false;
  }
  const auto path = http::normalize_path(split->path, arena);
  if (!path) {
    question.error =
        fmt::format("{} ({})", http::sentence(path.error()), http::to_string(path.error()));
    return false;
  }
  question.request.path = *path;
  question.request.query = split->query;
  if (!split->authority.empty()) question.headers.set(http::HeaderName::host, split->authority);
  return true;
}

bool read_header(std::string_view line, Question& question, Arena& arena) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !http::is_token(name)) {
    question.error = fmt::format("-H '{}' is not 'name: value'", line);
    return false;
  }
  question.headers.add(arena.copy(name), arena.copy(http::trim(line.substr(colon + 1))));
  return true;
}

bool read_question(const ExplainOptions& options, Question& question, Arena& arena) {
  const std::string_view text = options.request;
  const std::size_t space = text.find(' ');
  const bool has_method = space != std::string_view::npos;
  question.request.method_text = has_method ? text.substr(0, space) : "GET";
  question.request.method = http::classify_method(question.request.method_text);
  for (const std::string& header : options.headers) {
    if (!read_header(header, question, arena)) return false;
  }
  if (!read_target(has_method ? text.substr(space + 1) : text, question, arena)) return false;
  const std::string_view authority = question.headers.value(http::HeaderName::host);
  if (!authority.empty()) {
    const auto host = http::normalize_host(authority, arena);
    if (!host) {
      question.error = http::sentence(host.error());
      return false;
    }
    question.request.host = host->host;
  }
  const Result<text::IpBytes> ip = text::parse_ip(options.client);
  if (!ip) {
    question.error = fmt::format("--client {}: {}", options.client, ip.error().cause);
    return false;
  }
  std::copy(ip->begin(), ip->end(), question.request.client_ip);
  question.request.headers = &question.headers;
  return true;
}

Json policies_of(const config::Model& model, const config::RouteConfig& route) {
  Json list = Json::array();
  for (const auto* uses : {&model.policies_everywhere, &route.policies}) {
    for (const config::PolicyUse& use : *uses) {
      Json entry = {{"name", use.name.empty() ? use.kind : use.name}};
      const config::PolicyUse* settings = &use;
      for (const auto& named : model.policies) {
        if (named.key == use.name) settings = &named.value;
      }
      entry["kind"] = settings->kind;
      entry["mode"] = settings->mode == config::PolicyMode::enforce  ? "enforce"
                      : settings->mode == config::PolicyMode::shadow ? "shadow"
                                                                     : "off";
      list.push_back(std::move(entry));
    }
  }
  return list;
}

// What template variables stand for offline; ids and responses do not exist here.
class QuestionValues final : public http::TemplateSource {
 public:
  QuestionValues(const Question& question, std::string_view client, std::string_view route,
                 const route::RouteMatch& match, Arena& arena)
      : question_(question), client_(client), route_(route), match_(match), arena_(arena) {}

  std::string_view lookup(http::Variable variable, std::string_view name) override {
    const route::RouteRequest& request = question_.request;
    switch (variable) {
      case http::Variable::request_method:
        return request.method_text;
      case http::Variable::request_host:
        return request.host;
      case http::Variable::request_path:
        return request.path;
      case http::Variable::request_query:
        return request.query;
      case http::Variable::request_target:
        return request.query.empty() ? request.path : arena_.join(request.path, "?", request.query);
      case http::Variable::request_header:
        return question_.headers.value(name);
      case http::Variable::client_ip:
        return client_;
      case http::Variable::route_name:
        return route_;
      case http::Variable::route_param:
        return match_.param(name).value_or(std::string_view());
      default:
        return {};
    }
  }

 private:
  const Question& question_;
  const std::string_view client_;
  const std::string_view route_;
  const route::RouteMatch& match_;
  Arena& arena_;
};

Json redirect_of(const config::RedirectConfig& redirect, http::TemplateSource& values,
                 Arena& arena) {
  const auto to = http::Template::compile(redirect.to, http::TemplateScope::request);
  const std::string_view place = to ? to->render(values, arena) : std::string_view(redirect.to);
  return {{"redirect", place}, {"status", redirect.status}};
}

Json handler_of(const config::Model& model, const config::RouteConfig& route,
                http::TemplateSource& values, Arena& arena) {
  if (route.redirect) return redirect_of(*route.redirect, values, arena);
  if (route.respond) return {{"respond", route.respond->status}};
  Json endpoints = Json::array();
  for (const auto& service : model.services) {
    if (service.key != *route.service) continue;
    for (const auto& endpoint : service.value.endpoints) {
      endpoints.push_back({{"url", endpoint.url}, {"weight", endpoint.weight}});
    }
  }
  return {{"service", *route.service}, {"endpoints", std::move(endpoints)}};
}

Json answer(const config::Model& model, const route::RouteTable& table, const Question& question,
            std::string_view client, Arena& arena) {
  const route::Explanation why = route::explain(table, question.request);
  Json json = {{"request",
                {{"method", question.request.method_text},
                 {"host", question.request.host},
                 {"path", question.request.path},
                 {"query", question.request.query}}},
               {"result", route::to_string(why.why)}};
  if (why.winner) {
    const config::RouteConfig& route = model.routes[*why.winner];
    json["route"] = route.name;
    if (!why.precedence.empty()) json["because"] = why.precedence;
    json["policies"] = policies_of(model, route);
    const route::RouteMatch match = table.match(question.request);
    QuestionValues values(question, client, route.name, match, arena);
    json["handler"] = handler_of(model, route, values, arena);
  }
  Json near = Json::array();
  for (const route::ExplainedRoute& candidate : why.candidates) {
    if (why.winner && candidate.route == *why.winner) continue;
    near.push_back({{"route", candidate.name},
                    {"claim", candidate.claim},
                    {"matches", candidate.matches},
                    {"reasons", candidate.reasons}});
  }
  json["others"] = std::move(near);
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

void print_text(const Json& json) {
  const Json& request = json["request"];
  fmt::print("request   {} {}{}\n", request["method"].get<std::string>(),
             request["host"].get<std::string>(), request["path"].get<std::string>());
  if (!json.contains("route")) {
    fmt::print("route     none: no route matches ({})\n", json["result"].get<std::string>());
  } else {
    fmt::print("route     {}\n", json["route"].get<std::string>());
    if (json.contains("because")) fmt::print("          {}\n", json["because"].get<std::string>());
    int number = 0;
    for (const Json& policy : json["policies"]) {
      fmt::print("policy {}  {} ({}, {})\n", ++number, policy["name"].get<std::string>(),
                 policy["kind"].get<std::string>(), policy["mode"].get<std::string>());
    }
    fmt::print("handler   {}\n", json["handler"].dump());
  }
  if (!json["others"].empty()) fmt::print("others\n");
  print_others(json);
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
  Question question(arena);
  if (!read_question(options, question, arena)) {
    fmt::print(stderr, "doorward: {}\n", question.error);
    return kBadConfiguration;
  }
  const Json json = answer(loaded->model, *table, question, options.client, arena);
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
  } else {
    print_text(json);
  }
  return 0;
}

}  // namespace doorward::app
