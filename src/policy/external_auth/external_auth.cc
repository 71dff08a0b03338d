// external_auth: the settings, the question, and what becomes of the answer.
#include "policy/external_auth/external_auth.h"

#include <fmt/format.h>

#include "policy/registry.h"
#include "schema/schema.h"
#include "text/ascii.h"

namespace doorward::policy {
namespace {

using schema::field;

constexpr std::string_view kUnavailable = "auth_unavailable";

std::string path_error(const RequestTemplate& path) { return PathTemplate::error_of(path); }

constexpr auto kSchema = schema::schema<ExternalAuthConfig>(
    "external_auth",
    "Asks a service about each request, before anything of it goes to the backend. 2xx lets it "
    "pass. 3xx and 4xx refuse it: the client gets the service's status and body. Anything else, or "
    "no answer in time, is an error (`on_error`). The service is asked without the request's body "
    "and is always told X-Original-Method and X-Original-URI, X-Forwarded-Method, "
    "X-Forwarded-Host, X-Forwarded-Uri and X-Forwarded-For.",
    field("service", &ExternalAuthConfig::service, "The service to ask.", schema::required(),
          schema::is(schema::kName)),
    field("path", &ExternalAuthConfig::path,
          "Path and query to ask for; may have variables. Values that are "
          "no part of the path (headers, …) are percent-encoded.",
          schema::checked(&path_error)),
    field("method", &ExternalAuthConfig::method, "Method to ask with.", schema::is(schema::kToken)),
    field("headers", &ExternalAuthConfig::headers,
          "Fields of the request that the service is shown; `x-*` stands for all that begin so.",
          schema::is(kNameOrPrefix), schema::checked(&connection_field_error)),
    field("to_backend", &ExternalAuthConfig::to_backend,
          "Fields of an approval that the backend gets. The client's own fields of these names are "
          "always removed.",
          schema::is(kNameOrPrefix), schema::checked(&connection_field_error)),
    field("to_client", &ExternalAuthConfig::to_client, "Fields of a refusal that the client gets.",
          schema::is(kNameOrPrefix), schema::checked(&connection_field_error)),
    field("timeout", &ExternalAuthConfig::timeout, "Longest wait for the answer.",
          schema::at_least(Duration(1))),
    field("on_error", &ExternalAuthConfig::on_error,
          "What happens without an answer: `deny` replies 503 `auth_unavailable`; `allow` lets the "
          "request pass, without the fields of `to_backend`.",
          schema::names<OnError>({{"deny", OnError::deny}, {"allow", OnError::allow}})),
    schema::example("service: auth\n"
                    "path: /check\n"
                    "headers: [authorization]\n"
                    "to_backend: [x-user, x-role-*]\n"));

bool is_refusal(std::uint16_t status) { return status >= 300 && status < 500 && status != 304; }
bool is_approval(std::uint16_t status) { return status >= 200 && status < 300; }

// What the question always says; a field of the client never stands in its place.
bool is_said_anyway(std::string_view name) {
  static constexpr std::string_view kNames[] = {"host",
                                                "x-original-method",
                                                "x-original-uri",
                                                "x-forwarded-method",
                                                "x-forwarded-host",
                                                "x-forwarded-uri",
                                                "x-forwarded-for"};
  return std::ranges::any_of(
      kNames, [&](std::string_view said) { return text::equal_ignore_case(said, name); });
}

std::string_view original_uri(PolicyContext& context) {
  if (context.query().empty()) return context.path();
  return context.arena().join(context.path(), "?", context.query());
}

}  // namespace

const schema::SchemaOf<ExternalAuthConfig>& kExternalAuthSchema = kSchema;

std::unique_ptr<ExternalAuth> ExternalAuth::create(ExternalAuthConfig config, PolicyBuild& build) {
  if (!build.has_service("service", config.service)) return nullptr;
  return std::make_unique<ExternalAuth>(std::move(config));
}

ExternalAuth::ExternalAuth(ExternalAuthConfig config)
    : config_(std::move(config)),
      target_(config_.path),
      shown_(config_.headers),
      to_backend_(config_.to_backend),
      to_client_(config_.to_client) {}

CallRequest ExternalAuth::question(PolicyContext& context, std::string_view target) const {
  CallRequest request;
  request.method = config_.method;
  request.target = target;
  const http::RequestHead& head = context.request();
  const std::string_view uri = original_uri(context);
  request.headers = {{"x-original-method", head.method_text},
                     {"x-original-uri", uri},
                     {"x-forwarded-method", head.method_text},
                     {"x-forwarded-host", context.host()},
                     {"x-forwarded-uri", uri}};
  if (!context.client().is_unix()) {
    request.headers.emplace_back("x-forwarded-for", context.client_ip());
  }
  for (const http::Header& header : head.headers) {
    if (!shown_.contains(header) || is_said_anyway(header.name)) continue;
    if (!is_connection_field(header.id)) request.headers.emplace_back(header.name, header.value);
  }
  return request;
}

// A value that does not fit into the question's path is the client's doing: it must not become an
// error that `on_error: allow` forgives.
Verdict ExternalAuth::on_request(PolicyContext& context) const {
  Arena& arena = context.arena();
  const auto made = target_.render(context, arena);
  if (!made) return context.reply(403, "auth_denied", "This request cannot be authorised.");
  const std::string_view target =
      made->query ? arena.join(made->path, "?", *made->query) : made->path;
  return ask(context, question(context, target));
}

Verdict ExternalAuth::ask(PolicyContext& context, CallRequest question) const {
  const Deadline deadline = Deadline::after(context.now(), config_.timeout);
  Result<CallResponse> answer =
      co_await context.call(config_.service, std::move(question), deadline);
  to_backend_.remove_from(context.request().headers);
  if (!answer) co_return no_answer(context, reason(answer.error()));
  const std::uint16_t status = answer->head->status;
  if (is_approval(status)) co_return allow(context, *answer);
  if (is_refusal(status)) co_return refuse(context, *answer);
  co_return no_answer(context, fmt::format("Service {} answered {}.", config_.service, status));
}

Outcome ExternalAuth::allow(PolicyContext& context, const CallResponse& answer) const {
  if (to_backend_.empty()) return Outcome::pass();
  http::HeaderList& headers = context.request().headers;
  for (const http::Header& header : answer.head->headers) {
    if (!to_backend_.contains(header) || is_connection_field(header.id)) continue;
    headers.append({header.name, header.value, 0, header.id});
  }
  return Outcome::pass();
}

// The body stays as the service encoded it.
Outcome ExternalAuth::refuse(PolicyContext& context, const CallResponse& answer) const {
  Arena& arena = context.arena();
  auto* reply = arena.make<http::Reply>();
  reply->status = answer.head->status;
  reply->code = "auth_denied";
  reply->has_body = true;
  reply->body = Chunk(answer.body);
  reply->content_type = answer.head->headers.value(http::HeaderName::content_type);
  const http::ReplyHeader* headers = nullptr;
  for (const http::Header& header : answer.head->headers) {
    const bool encoding = header.id == http::HeaderName::content_encoding;
    if (!encoding && !to_client_.contains(header)) continue;
    if (is_connection_field(header.id) || header.id == http::HeaderName::content_type) continue;
    headers = arena.make<http::ReplyHeader>(header.name, header.value, headers);
  }
  for (; headers != nullptr; headers = headers->next) {  // back into their order
    reply->headers = arena.make<http::ReplyHeader>(headers->name, headers->value, reply->headers);
  }
  return {reply};
}

std::string ExternalAuth::reason(const Error& error) const {
  if (error.kind != ErrorKind::timeout || !error.reason.empty()) {
    return fmt::format("Service {} did not answer: {}.", config_.service, error.cause);
  }
  return fmt::format("Service {} did not answer within {} (timeout of external_auth).",
                     config_.service, schema::ScalarTraits<Duration>::format(config_.timeout));
}

// Allowed by on_error, the reply that was not sent is reported: failing open must be seen.
Outcome ExternalAuth::no_answer(PolicyContext& context, std::string_view why) const {
  const Outcome refusal = context.reply(503, kUnavailable, why);
  if (config_.on_error == OnError::deny) return refusal;
  context.on_skipped("external_auth", *refusal.reply);
  return Outcome::pass();
}

}  // namespace doorward::policy
