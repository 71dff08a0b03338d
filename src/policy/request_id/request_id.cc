// request_id: the settings, which ids are kept, and where they are told.
#include "policy/request_id/request_id.h"

#include "http/field.h"
#include "observe/request_id.h"
#include "policy/header_rules.h"
#include "schema/schema.h"
#include "text/ascii.h"

namespace doorward::policy {
namespace {

using schema::field;

constexpr std::size_t kLongestId = 128;

constexpr auto kSchema = schema::schema<RequestIdConfig>(
    "request_id",
    "Gives each request an id: the backend and the client get it in a header, and access log, "
    "problem replies and `{request.id}` carry the same one.",
    field("header", &RequestIdConfig::header, "The header's name, on both sides.",
          schema::is(schema::kHeaderName), schema::checked(&connection_field_error)),
    field("trust", &RequestIdConfig::trust,
          "Keep the id that the client sent, when it is one token of at most 128 bytes. Only for "
          "clients that you trust: behind another proxy of yours."),
    field("format", &RequestIdConfig::format, "What a new id looks like.",
          schema::names<RequestIdFormat>(
              {{"uuid", RequestIdFormat::uuid}, {"hex", RequestIdFormat::hex}})),
    schema::example("trust: true\nformat: hex\n"));

}  // namespace

const schema::SchemaOf<RequestIdConfig>& kRequestIdSchema = kSchema;

RequestId::RequestId(RequestIdConfig config) : config_(std::move(config)) {
  config_.header = text::lower_copy(config_.header);
  name_ = http::classify(config_.header);
}

// The one id that came, or nothing: two of them are nobody's.
std::string_view RequestId::incoming(const http::HeaderList& headers) const {
  const http::Header* first = headers.find(config_.header);
  if (first == nullptr || first->value.size() > kLongestId || !http::is_token(first->value)) {
    return {};
  }
  for (const http::Header& header : headers) {
    if (&header != first && http::equal_ignore_case(header.name, config_.header)) return {};
  }
  return first->value;
}

std::string_view RequestId::make(PolicyContext& context) const {
  const bool uuid = config_.format == RequestIdFormat::uuid;
  const std::size_t size = uuid ? observe::kUuidLength : observe::kHexIdLength;
  char* to = context.arena().bytes(size);
  uuid ? observe::write_uuid(context.random(), to) : observe::write_hex_id(context.random(), to);
  return {to, size};
}

void RequestId::put(http::HeaderList& headers, std::string_view id) const {
  if (name_ != http::HeaderName::other) return headers.set(name_, id);
  headers.set(config_.header, id);
}

Verdict RequestId::on_request(PolicyContext& context) const {
  http::HeaderList& headers = context.request().headers;
  std::string_view id = config_.trust ? incoming(headers) : std::string_view();
  const bool kept = !id.empty();
  if (!kept) id = make(context);
  context.set_request_id(id);
  if (!kept) put(headers, id);
  return Outcome::pass();
}

Verdict RequestId::on_response(PolicyContext& context) const {
  put(context.response().headers, context.request_id());
  return Outcome::pass();
}

}  // namespace doorward::policy
