// How routes are written; their match is declared in route/.
#include <fmt/format.h>

#include "config/model.h"
#include "http/template.h"
#include "http/uri.h"
#include "route/match_schema.h"

namespace doorward::config {
namespace {

using schema::at_least;
using schema::at_most;
using schema::field;
using schema::of;
using schema::required;

std::string template_problem(const std::string& text) {
  const auto compiled = http::Template::compile(text, http::TemplateScope::request);
  return compiled ? std::string() : compiled.error().cause;
}

std::string place_problem(const std::string& text) {
  const auto compiled = http::Template::compile(text, http::TemplateScope::request);
  if (!compiled) return compiled.error().cause;
  Arena arena;
  const bool made_later = !compiled->is_literal() || compiled->pieces().empty();
  if (made_later || http::is_location(compiled->pieces().front().text, arena)) return {};
  return "must be a place to go to, as in \"https://www.example.com/\" or \"/new\": visible ASCII "
         "(others as %XX), and no user before the host";
}

std::string redirect_status_problem(std::uint16_t status) {
  const bool right = (status >= 301 && status <= 303) || status == 307 || status == 308;
  return right ? std::string() : fmt::format("must be 301, 302, 303, 307 or 308, not {}", status);
}

constexpr auto kRedirect = schema::schema<RedirectConfig>(
    "redirect", "Sends the client elsewhere.",
    field("to", &RedirectConfig::to, "The place, a template.", required(),
          schema::is(schema::kNonEmpty), schema::checked(&place_problem)),
    field("status", &RedirectConfig::status, "301, 302, 303, 307 or 308.",
          schema::checked(&redirect_status_problem)),
    schema::stands_for("to"));

constexpr auto kRespond = schema::schema<RespondConfig>(
    "respond", "Answers without a backend.",
    field("status", &RespondConfig::status, "Its status.", at_least(200), at_most(599)),
    field("body", &RespondConfig::body, "Its body, a template.",
          schema::checked(&template_problem)),
    field("content_type", &RespondConfig::content_type, "Its `Content-Type`.",
          schema::is(schema::kHeaderValue)),
    field("headers", &RespondConfig::headers, "Further headers; values are templates.",
          schema::keys_are(schema::kHeaderName), schema::is(schema::kHeaderValue),
          schema::checked(&template_problem)));

// Not constexpr: the schema of a match lives in another file.
const auto kRoute = schema::schema<RouteConfig>(
    "routes", "Which requests go where. A list; each item has these settings.",
    field("name", &RouteConfig::name,
          "Unique; shown in logs, metrics and replies. Without one: `route-1`, `route-2`, ….",
          schema::is(schema::kName)),
    field("match", &RouteConfig::match, "Which requests it takes; all when left out.",
          of(route::kMatchSchema)),
    field("policies", &RouteConfig::policies,
          "What is done with its requests and responses, in this order (responses in reverse)."),
    field("service", &RouteConfig::service, "The service that answers."),
    field("redirect", &RouteConfig::redirect, "Where clients are sent.", of(kRedirect)),
    field("respond", &RouteConfig::respond, "A fixed response.", of(kRespond)),
    schema::exactly_one_of("service", "redirect", "respond"),
    schema::example("routes:\n"
                    "  - name: orders\n"
                    "    match: {host: api.example.com, path: /orders/**, method: [GET, POST]}\n"
                    "    policies:\n"
                    "      - rewrite: {strip_prefix: /orders}\n"
                    "    service: orders\n"
                    "  - name: old\n"
                    "    match: {path: /old/**}\n"
                    "    redirect: {to: \"https://{request.host}/orders\"}\n"));

}  // namespace

constinit const schema::SchemaOf<RouteConfig>& kRouteSchema = kRoute;

}  // namespace doorward::config
