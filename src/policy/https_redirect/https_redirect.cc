#include "policy/https_redirect/https_redirect.h"

#include <fmt/format.h>

#include "schema/schema.h"

namespace doorward::policy {
namespace {

using schema::field;

std::string status_problem(std::uint16_t status) {
  if (status == 301 || status == 302 || status == 307 || status == 308) return {};
  return fmt::format("must be 301, 302, 307 or 308, not {}", status);
}

constexpr auto kSchema = schema::schema<HttpsRedirectConfig>(
    "https_redirect",
    "Sends clients that came without TLS to the same host and path over https. Behind proxies "
    "that are trusted, what counts is how the client came to them. To have browsers come over "
    "https from the start, add `hsts`.",
    field("status", &HttpsRedirectConfig::status,
          "301, 302, 307 or 308. Browsers keep 301 and 308 for long; with 307 and 308 they repeat "
          "the request with its method and body.",
          schema::checked(&status_problem)),
    field("port", &HttpsRedirectConfig::port,
          "The port of the listener with TLS, as clients see it.", schema::at_least(1)),
    schema::example("status: 307\nport: 8443\n"));

}  // namespace

const schema::SchemaOf<HttpsRedirectConfig>& kHttpsRedirectSchema = kSchema;

HttpsRedirect::HttpsRedirect(HttpsRedirectConfig config)
    : status_(config.status), port_(config.port == 443 ? "" : fmt::format(":{}", config.port)) {}

Verdict HttpsRedirect::on_request(PolicyContext& context) const {
  if (context.scheme() == "https") return Outcome::pass();
  if (context.host().empty()) {  // HTTP/1.0 needs none
    return context.reply(400, "host_missing",
                         "Without a host there is no place on https to go to.");
  }
  Arena& arena = context.arena();
  const bool has_path = context.path().starts_with('/');  // "OPTIONS *" has none
  const std::string_view target =
      has_path ? context.lookup(http::Variable::request_target, {}) : "/";
  auto* reply = arena.make<http::Reply>();
  reply->status = status_;
  reply->has_body = true;
  reply->headers = arena.make<http::ReplyHeader>(http::ReplyHeader{
      "location", arena.join("https://", context.host(), port_, target), nullptr});
  return Outcome{reply};
}

}  // namespace doorward::policy
