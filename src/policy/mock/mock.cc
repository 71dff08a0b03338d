// mock: the settings, and the reply.
#include "policy/mock/mock.h"

#include "http/status.h"
#include "policy/header_rules.h"
#include "schema/schema.h"

namespace doorward::policy {
namespace {

using schema::field;

void check_mock(const MockConfig& config, schema::Diagnostics& diagnostics) {
  if (http::has_no_content(config.status) && !config.body.pieces().empty()) {
    diagnostics.error_at("body", "cannot be sent with this status, which has no content");
  }
  for (const auto& item : config.headers) {
    if (std::string error = connection_field_error(item.key); !error.empty()) {
      diagnostics.error_at("headers", std::move(error));
    }
  }
}

constexpr auto kSchema = schema::schema<MockConfig>(
    "mock",
    "Answers the request itself. Policies before it in the list see the answer as if a backend had "
    "given it; those behind it never run.",
    field("status", &MockConfig::status, "The answer's status.", schema::at_least(200),
          schema::at_most(599)),
    field("body", &MockConfig::body, "The answer's body; may have variables."),
    field("content_type", &MockConfig::content_type, "What the body is.",
          schema::is(schema::kHeaderValue)),
    field("headers", &MockConfig::headers,
          "Further header fields; values may have variables. Empty values are left out.",
          schema::keys_are(schema::kHeaderName)),
    schema::check(&check_mock),
    schema::example("status: 200\n"
                    "content_type: application/json\n"
                    "body: '{\"id\": \"{route.param.id}\"}'\n"));

}  // namespace

const schema::SchemaOf<MockConfig>& kMockSchema = kSchema;

Verdict Mock::on_request(PolicyContext& context) const {
  Arena& arena = context.arena();
  auto* reply = arena.make<http::Reply>();
  reply->status = config_.status;
  reply->has_body = true;
  const std::string_view body = config_.body.render(context, arena);
  reply->body = Chunk(body);
  if (!body.empty()) reply->content_type = config_.content_type;
  for (auto item = config_.headers.rbegin(); item != config_.headers.rend(); ++item) {
    const std::string_view value = sane_value(item->value.render(context, arena));
    if (value.empty()) continue;
    reply->headers = arena.make<http::ReplyHeader>(item->key, value, reply->headers);
  }
  return Outcome{reply};
}

}  // namespace doorward::policy
