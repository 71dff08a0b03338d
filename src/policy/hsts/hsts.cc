#include "policy/hsts/hsts.h"

#include <fmt/format.h>

#include "schema/schema.h"

namespace doorward::policy {
namespace {

using schema::field;

constexpr std::chrono::days kPreloadLeast{365};

// What the browsers' list asks for (hstspreload.org); a header that it refuses means nothing.
void check_preload(const HstsConfig& config, schema::Diagnostics& diagnostics) {
  if (!config.preload || (config.include_subdomains && config.max_age >= kPreloadLeast)) return;
  diagnostics.error_at("preload", "needs include_subdomains: true and a max_age of at least 365d");
}

constexpr auto kSchema = schema::schema<HstsConfig>(
    "hsts",
    "Tells browsers to come to this host over https only, and never to accept a certificate that "
    "is not right (RFC 6797). Added to responses over https alone, in place of the backend's own "
    "`Strict-Transport-Security`.",
    field("max_age", &HstsConfig::max_age,
          "How long browsers keep to it, from the last response on; begin with a short time.",
          schema::at_least(std::chrono::seconds(1)), schema::at_most(std::chrono::days(3650)),
          schema::zero_means("they forget it")),
    field("include_subdomains", &HstsConfig::include_subdomains,
          "For all hosts below this one too: each of them must be there over https."),
    field("preload", &HstsConfig::preload,
          "Consent to stand in the lists that browsers are shipped with. It is hard to get out."),
    schema::check(&check_preload), schema::example("max_age: 365d\ninclude_subdomains: true\n"));

}  // namespace

const schema::SchemaOf<HstsConfig>& kHstsSchema = kSchema;

std::string hsts_value(const HstsConfig& config) {
  return fmt::format(
      "max-age={}{}{}", std::chrono::duration_cast<std::chrono::seconds>(config.max_age).count(),
      config.include_subdomains ? "; includeSubDomains" : "", config.preload ? "; preload" : "");
}

// RFC 6797 §7.2: not over a transport that is not secure; §7.1: one field only.
Verdict Hsts::on_response(PolicyContext& context) const {
  if (context.scheme() == "https") {
    context.response().headers.set(http::HeaderName::strict_transport_security, value_);
  }
  return Outcome::pass();
}

}  // namespace doorward::policy
