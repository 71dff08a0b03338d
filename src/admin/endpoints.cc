#include "admin/endpoints.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/arena.h"
#include "http/status.h"
#include "http/uri.h"
#include "observe/json_escape.h"
#include "observe/prometheus.h"
#include "text/ascii.h"
#include "text/constant_time.h"

namespace doorward::admin {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kMask = "***";

AdminReply text(std::uint16_t status, std::string body) {
  return {.status = status, .content_type = kText, .body = std::move(body)};
}

bool is_local_name(std::string_view authority) {
  if (authority.empty()) return true;  // no browser leaves Host out
  Arena arena;
  const auto parsed = http::normalize_host(authority, arena);
  if (!parsed) return false;
  if (parsed->host == "localhost" || parsed->host.starts_with('[')) return true;
  in_addr address;
  return inet_pton(AF_INET, std::string(parsed->host).c_str(), &address) == 1;
}

std::string masked(std::string text, std::string_view secret) {
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) {
    text.replace(at, secret.size(), kMask);
    at += kMask.size();
  }
  return text;
}

}  // namespace

const Endpoints::Endpoint Endpoints::kEndpoints[] = {
    {"/", "This list.", false, &Endpoints::overview},
    {"/healthz", "200 as soon as the process serves.", false, &Endpoints::health},
    {"/readyz", "200 while traffic is taken; 503 before that and while draining.", false,
     &Endpoints::readiness},
    {"/metrics", "Metrics in Prometheus' text format.", true, &Endpoints::metrics},
    {"/config", "The running configuration, without secrets.", true, &Endpoints::config},
};

Endpoints::Endpoints(AdminSource& source, std::string token)
    : source_(source), token_(std::move(token)) {}

AdminReply Endpoints::answer(const AdminRequest& request) const {
  if (guards_host_ && !is_local_name(request.host)) {
    return problem(403, "host_not_allowed",
                   "On loopback the admin listener answers to localhost and IP addresses only.",
                   request.id);
  }
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  const auto* endpoint =
      std::ranges::find(std::begin(kEndpoints), std::end(kEndpoints), path, &Endpoint::path);
  if (endpoint == std::end(kEndpoints)) {
    return problem(404, "not_found", "There is no such endpoint; / lists them.", request.id);
  }
  if (request.method != "GET" && request.method != "HEAD") {
    AdminReply reply =
        problem(405, "method_not_allowed", "Only GET and HEAD are known here.", request.id);
    reply.tells_methods = true;
    return reply;
  }
  if (request.has_body) {
    return problem(413, "body_too_large", "The admin listener takes no request bodies.",
                   request.id);
  }
  if (endpoint->needs_token && !is_authorized(request.authorization)) {
    AdminReply reply = problem(401, "unauthorized",
                               "Send the admin token as Authorization: Bearer TOKEN.", request.id);
    reply.asks_for_token = true;
    return reply;
  }
  return (this->*endpoint->answer)(request);
}

// RFC 6750 §2.1; the scheme's name is of either case (RFC 9110 §11.1).
bool Endpoints::is_authorized(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (!text::equal_ignore_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
  authorization.remove_prefix(kScheme.size());
  const std::size_t begin = authorization.find_first_not_of(' ');
  if (begin == std::string_view::npos) return false;
  return text::equal_in_constant_time(authorization.substr(begin), token_);
}

AdminReply Endpoints::health(const AdminRequest&) const { return text(200, "ok\n"); }

AdminReply Endpoints::readiness(const AdminRequest& request) const {
  if (source_.ready()) return text(200, "ready\n");
  return problem(503, "not_ready", "Doorward takes no traffic: it starts or drains.", request.id);
}

AdminReply Endpoints::metrics(const AdminRequest&) const {
  return {.content_type = observe::kPrometheusContentType, .body = source_.metrics_text()};
}

AdminReply Endpoints::config(const AdminRequest&) const {
  return {.content_type = "application/json", .body = masked(source_.config_text(), token_)};
}

AdminReply Endpoints::overview(const AdminRequest&) const {
  std::string json = fmt::format("{{\"doorward\":\"{}\",\"endpoints\":[", DOORWARD_VERSION);
  for (const Endpoint& endpoint : kEndpoints) {
    if (&endpoint != kEndpoints) json += ',';
    json += fmt::format("{{\"path\":\"{}\",\"token\":{},\"description\":", endpoint.path,
                        endpoint.needs_token);
    observe::append_json_string(json, endpoint.meaning);
    json += '}';
  }
  json += "]}\n";
  return {.content_type = "application/json", .body = std::move(json)};
}

AdminReply problem(std::uint16_t status, std::string_view code, std::string_view detail,
                   std::string_view request_id) {
  std::string json = fmt::format(
      "{{\"type\":\"https://doorward.dev/problems/{0}\",\"title\":\"{1}\",\"status\":{2},"
      "\"code\":\"{0}\",\"detail\":",
      code, http::reason_phrase(status), status);
  observe::append_json_string(json, detail);
  json += fmt::format(",\"request_id\":\"{}\"}}\n", request_id);
  return {.status = status, .content_type = "application/problem+json", .body = std::move(json)};
}

}  // namespace doorward::admin
