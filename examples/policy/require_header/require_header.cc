// require_header: the settings, and the decision.
#include "require_header.h"

#include <fmt/format.h>

#include "schema/schema.h"

namespace doorward::policy {
namespace {

using schema::field;

constexpr auto kSchema = schema::schema<RequireHeaderConfig>(
    "require_header", "Refuses requests that lack a header (`header_required`).",
    field("name", &RequireHeaderConfig::name, "The header that must be there.", schema::required(),
          schema::is(schema::kHeaderName)),
    field("value", &RequireHeaderConfig::value,
          "The value that it must have; when not given, any will do.",
          schema::is(schema::kHeaderValue)),
    field("status", &RequireHeaderConfig::status, "Status of the refusal.", schema::at_least(400),
          schema::at_most(499)),
    schema::example("name: x-api-version\nvalue: \"2\"\n"));

}  // namespace

const schema::SchemaOf<RequireHeaderConfig>& kRequireHeaderSchema = kSchema;

Verdict RequireHeader::on_request(PolicyContext& context) const {
  const http::Header* header = context.request().headers.find(config_.name);
  const bool right = header != nullptr && (config_.value.empty() || header->value == config_.value);
  if (right) return Outcome::pass();
  return context.reply(config_.status, "header_required",
                       fmt::format("The request needs the header {}.", config_.name));
}

}  // namespace doorward::policy
