// How listeners and the admin listener are written.
#include <fmt/format.h>

#include "config/model.h"
#include "loop/address.h"
#include "schema/cidr.h"

namespace doorward::config {
namespace {

using exchange::Forwarded;
using exchange::ListenerConfig;
using exchange::ListenerLimits;
using exchange::ListenerTimeouts;
using schema::at_least;
using schema::at_most;
using schema::field;
using schema::is;
using schema::of;
using schema::required;
using schema::zero_means;
using namespace std::chrono_literals;

bool is_listen_address(std::string_view text) { return loop::Address::parse(text).has_value(); }

constexpr schema::TextCheck kListenAddress{"an address with port (or unix: and a path)",
                                           "0.0.0.0:8080", "^(unix:/.+|.*:[0-9]+)$",
                                           &is_listen_address};

constexpr auto kLimits = schema::schema<ListenerLimits>(
    "limits", "What a client may send. What is over a limit is refused with its own code.",
    field("header_bytes", &ListenerLimits::header_bytes,
          "The whole head of a request: its first line and all headers.", at_least(1_KiB),
          at_most(1_MiB)),
    field("header_count", &ListenerLimits::header_count, "Headers of a request.", at_least(1),
          at_most(10'000)),
    field("target_length", &ListenerLimits::target_length,
          "The target of a request (its path and "
          "query).",
          at_least(64_B), at_most(1_MiB)),
    field("body_size", &ListenerLimits::body_size, "Body of a request.", zero_means("no limit")),
    field(
        "connections", &ListenerLimits::connections,
        "Connections open at once. Each core takes an equal share, at least one: with 4 cores, 100 "
        "are 25 on each, and a core may refuse while another has room.",
        at_least(1)),
    field(
        "connections_per_ip", &ListenerLimits::connections_per_ip,
        "Connections of one client address, on each core by itself: with 4 cores, 10 are up to 40.",
        zero_means("no limit")),
    field("requests_per_connection", &ListenerLimits::requests_per_connection,
          "Requests on one connection before it is closed.", zero_means("no limit")));

constexpr auto kTimeouts = schema::schema<ListenerTimeouts>(
    "timeouts", "How long a client may take.",
    field(
        "header", &ListenerTimeouts::header,
        "From the first byte of a request to the end of its head; on a fresh connection, from its "
        "beginning.",
        at_least(1ms)),
    field("body", &ListenerTimeouts::body, "Between two pieces of a request's body.",
          at_least(1ms)),
    field("idle", &ListenerTimeouts::idle,
          "A kept connection between two requests. (One that was just opened has `header`.)",
          at_least(1ms)),
    field("send", &ListenerTimeouts::send,
          "A client that stops reading what it asked for. What counts is that it takes something "
          "(at `min_data_rate`) in each half of this time, not how long a response lasts.",
          at_least(1ms)));

constexpr auto kListener = schema::schema<ListenerConfig>(
    "listeners", "Where clients connect. A list; each item has these settings.",
    field("name", &ListenerConfig::name,
          "Unique; shown in logs and metrics. Without one: `listener-1`, `listener-2`, ….",
          is(schema::kName)),
    field("address", &ListenerConfig::address,
          "`0.0.0.0:8080`, `[::]:8080`, `:8080` (all addresses of both kinds), or "
          "`unix:/run/doorward.sock`. Port 0 takes a free one, which the log tells.",
          required(), is(kListenAddress)),
    field("limits", &ListenerConfig::limits, "What a client may send.", of(kLimits)),
    field("timeouts", &ListenerConfig::timeouts, "How long a client may take.", of(kTimeouts)),
    field("min_data_rate", &ListenerConfig::min_data_rate,
          "Requests that come slower than this over ten seconds are given up (408), and so are "
          "clients that take their response slower (`timeouts.send`).",
          zero_means("off")),
    field("trusted_proxies", &ListenerConfig::trusted_proxies,
          "Proxies before Doorward whose `X-Forwarded-For` or `Forwarded` is believed."),
    field("forwarded", &ListenerConfig::forwarded, "How backends are told who the client is.",
          schema::names<Forwarded>({{"x_forwarded", Forwarded::x_forwarded},
                                    {"rfc7239", Forwarded::rfc7239},
                                    {"both", Forwarded::both},
                                    {"off", Forwarded::off}})),
    field("via", &ListenerConfig::via, "Add `Via` to requests to backends (RFC 9110 §7.6.3)."),
    schema::example("listeners:\n"
                    "  - name: web\n"
                    "    address: \"0.0.0.0:8080\"\n"
                    "    limits: {body_size: 10MiB}\n"
                    "    trusted_proxies: [\"10.0.0.0/8\"]\n"));

constexpr auto kAdmin = schema::schema<AdminConfig>(
    "admin", "The admin listener: health, metrics, the running configuration. `off` without it.",
    field("address", &AdminConfig::address, "Where it listens.", is(kListenAddress)),
    field("token", &AdminConfig::token,
          "What its clients must send as `Authorization: Bearer`. Without one a random token is "
          "made and printed.",
          schema::secret(), schema::length(8, 256)),
    schema::example("admin:\n  address: \"127.0.0.1:9901\"\n"));

}  // namespace

constinit const schema::SchemaOf<ListenerConfig>& kListenerSchema = kListener;
constinit const schema::SchemaOf<AdminConfig>& kAdminSchema = kAdmin;

}  // namespace doorward::config
