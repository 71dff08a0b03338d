// size_limit: the settings, and counting.
#include "policy/size_limit/size_limit.h"

#include <charconv>
#include <fmt/format.h>

#include "schema/schema.h"

namespace doorward::policy {
namespace {

using schema::field;

constexpr auto kSchema = schema::schema<SizeLimitConfig>(
    "size_limit",
    "Refuses requests whose body is larger than a limit (413 `body_too_large`): before the backend "
    "hears of it when the length is announced, else as soon as too much has come.",
    field("max", &SizeLimitConfig::max, "Largest body allowed.", schema::at_least(1_B)),
    schema::example("max: 5MiB\n"));

// The codec has checked that it is a number; one that does not fit is larger than any limit.
std::uint64_t announced(const http::HeaderList& headers) {
  const std::string_view text = headers.value(http::HeaderName::content_length);
  std::uint64_t length = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
  return read.ec == std::errc::result_out_of_range ? ~std::uint64_t{0} : length;
}

}  // namespace

const schema::SchemaOf<SizeLimitConfig>& kSizeLimitSchema = kSchema;

Outcome SizeLimit::refuse(PolicyContext& context) const {
  const std::string limit = schema::ScalarTraits<Bytes>::format(config_.max);
  return context.reply(413, "body_too_large",
                       fmt::format("The request's body is larger than {}.", limit));
}

Verdict SizeLimit::on_request(PolicyContext& context) const {
  if (announced(context.request().headers) > config_.max.count) return refuse(context);
  return Outcome::pass();
}

Verdict SizeLimit::on_request_body(PolicyContext& context, BodyPiece& piece) const {
  auto& count = context.state<Count>();
  count.bytes += piece.chunk.size();
  if (count.bytes <= config_.max.count) return Outcome::pass();
  const Outcome refused = refuse(context);
  refused.reply->close = true;  // what still comes is not read
  return refused;
}

}  // namespace doorward::policy
