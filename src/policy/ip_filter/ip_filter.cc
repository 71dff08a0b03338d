// ip_filter: the settings, and the decision.
#include "policy/ip_filter/ip_filter.h"

#include "schema/cidr.h"
#include "schema/schema.h"

namespace doorward::policy {
namespace {

using schema::field;

void check_not_empty(const IpFilterConfig& config, schema::Diagnostics& diagnostics) {
  if (!config.allow.empty() || !config.deny.empty()) return;
  diagnostics.error("names no address: give \"allow\" or \"deny\"");
}

constexpr auto kSchema = schema::schema<IpFilterConfig>(
    "ip_filter",
    "Lets in, or keeps out, clients by their IP address (403 `ip_denied`). The client's address is "
    "the one that trusted proxies tell, else the connection's.",
    field("allow", &IpFilterConfig::allow,
          "Addresses and blocks that may come in. When given, all others are denied.",
          schema::one_or_many()),
    field("deny", &IpFilterConfig::deny, "Addresses and blocks that may not. Wins over `allow`.",
          schema::one_or_many()),
    schema::check(&check_not_empty),
    schema::example("allow: [10.0.0.0/8, \"2001:db8::/32\"]\ndeny: [10.1.2.3]\n"));

}  // namespace

const schema::SchemaOf<IpFilterConfig>& kIpFilterSchema = kSchema;

Verdict IpFilter::on_request(PolicyContext& context) const {
  std::uint8_t ip[16];
  context.client().ip_bytes(ip);
  const bool denied = deny_.contains(ip) || (!allow_.empty() && !allow_.contains(ip));
  if (!denied) return Outcome::pass();
  return context.reply(403, "ip_denied", "Requests from this address are not allowed.");
}

}  // namespace doorward::policy
