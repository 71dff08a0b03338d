// Whole configurations: what is read, every finding that needs several sections with its exact
// text, and the documents made from the declarations.
#include "config/model.h"

#include <array>
#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/reference.h"
#include "schema/secret_mask.h"

namespace doorward::config {
namespace {

struct LimitConfig {
  Bytes max = 1_MiB;
};
constexpr auto kLimit = schema::schema<LimitConfig>(
    "size_limit", "Refuses large bodies.", schema::field("max", &LimitConfig::max, "Largest body."),
    schema::example("max: 5MiB"));
struct AuthConfig {
  std::string service;
};
constexpr auto kAuth = schema::schema<AuthConfig>(
    "external_auth", "Asks a service.",
    schema::field("service", &AuthConfig::service, "Which.", schema::required()));

const std::array<std::unique_ptr<schema::AnySchema>, 2> kOwned{schema::erase_type(kLimit),
                                                               schema::erase_type(kAuth)};
const std::array<const schema::AnySchema*, 2> kKinds{kOwned[0].get(), kOwned[1].get()};

struct Read {
  std::optional<Model> model;
  std::string findings;  // "LINE:COLUMN: [warning: ]PATH: MESSAGE\n"
};

Read read(std::string_view yaml) {
  const auto source = std::make_shared<text::SourceFile>("a.yaml", std::string(yaml));
  const text::Node root = text::parse_yaml(source).value();
  schema::Diagnostics diagnostics;
  Read out{read_model(root, kKinds, diagnostics), {}};
  for (const schema::Diagnostic& found : diagnostics.sorted()) {
    out.findings += std::to_string(found.place.line) + ":" + std::to_string(found.place.column) +
                    ": " + (found.severity == schema::Severity::warning ? "warning: " : "") +
                    found.path + (found.path.empty() ? "" : ": ") + found.message + "\n";
  }
  EXPECT_EQ(out.model.has_value(), diagnostics.ok());
  return out;
}

constexpr std::string_view kHead = R"(version: 1
listeners: [{address: "127.0.0.1:0"}]
services: {app: {endpoints: ["http://127.0.0.1:1"]}}
)";

// The findings in what follows kHead, which begins at line 4.
std::string findings(std::string_view rest) {
  return read(std::string(kHead) + std::string(rest)).findings;
}

std::chrono::nanoseconds thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

TEST(Model, ReadsAllOfIt) {
  const Read done = read(R"(version: 1
listeners:
  - address: ":8080"
    limits: {body_size: 0}
    min_data_rate: 0
    trusted_proxies: [10.0.0.0/8]
    forwarded: both
admin: {address: "127.0.0.1:9901"}
access_log: off
services:
  orders: {endpoints: ["http://a:1", {url: "unix:/run/o.sock", weight: 2}], host: endpoint}
policies:
  small: {size_limit: {max: 1KiB, mode: shadow}}
policies_everywhere: [{size_limit: {}}]
routes:
  - match: {path: /orders/**}
    policies: [small, {external_auth: {service: orders}}]
    service: orders
  - {name: old, match: {path: /old}, redirect: "https://{request.host}/"}
  - {match: {path: /hi}, respond: {body: hi, headers: {x-a: b}}}
)");
  EXPECT_EQ(done.findings, "");
  ASSERT_TRUE(done.model.has_value());
  const Model& model = *done.model;
  EXPECT_EQ(model.listeners[0].name, "listener-1");
  EXPECT_EQ(model.listeners[0].limits.body_size.count, 0U);
  EXPECT_EQ(model.listeners[0].trusted_proxies.size(), 1U);
  EXPECT_FALSE(model.access_log.has_value());
  EXPECT_EQ(model.services[0].value.name, "orders");
  EXPECT_EQ(model.services[0].value.endpoints[1].unix_path, "/run/o.sock");
  EXPECT_EQ(model.services[0].value.endpoints[1].weight, 2U);
  const PolicyUse& small = model.policies[0].value;
  EXPECT_EQ(small.mode, PolicyMode::shadow);
  EXPECT_EQ(small.settings->get<LimitConfig>().max, 1_KiB);
  EXPECT_EQ(model.policies_everywhere[0].settings->get<LimitConfig>().max, 1_MiB);
  EXPECT_EQ(model.routes[0].name, "route-1");
  EXPECT_EQ(model.routes[0].policies[0].name, "small");
  EXPECT_EQ(model.routes[1].redirect->to, "https://{request.host}/");
  EXPECT_EQ(model.routes[2].respond->headers[0].second, "b");
}

TEST(Model, AdminListensOnLoopbackUnlessItIsOff) {
  const auto silent = read(std::string(kHead));
  EXPECT_EQ(silent.model->admin->address, "127.0.0.1:9901");
  EXPECT_FALSE(silent.model->admin_given);
  EXPECT_FALSE(read(std::string(kHead) + "admin: off\n").model->admin.has_value());
}

TEST(Model, OfOneUpstream) {
  schema::Diagnostics diagnostics;
  const auto model = single_upstream_model("http://127.0.0.1:3000", diagnostics);
  ASSERT_TRUE(model.has_value());
  EXPECT_EQ(model->listeners[0].address, ":8080");
  EXPECT_EQ(model->routes[0].service, "upstream");
  EXPECT_FALSE(single_upstream_model("ftp://x", diagnostics).has_value());
  EXPECT_EQ(diagnostics.to_text(), "error: 'ftp://x' must begin with http://, https:// or unix:\n");
}

TEST(ModelErrors, TopAndSections) {
  EXPECT_EQ(read("routes: []").findings,
            "1:1: version: is missing: Of this format; 1.\n"
            "1:1: listeners: is missing: Where clients connect.\n");
  EXPECT_EQ(
      read("version: 9\nlisteners: [{address: \"nowhere:port\"}]").findings,
      "1:10: version: must be at most 1, not 9\n"
      "2:23: listeners[0].address: must be an address with port (or unix: and a path) such as "
      "0.0.0.0:8080, not \"nowhere:port\"\n");
  EXPECT_EQ(findings("routes: {name: all}\n"), "4:9: routes: must be a list ([…]), not a map\n");
}

TEST(ModelErrors, Endpoints) {
  EXPECT_EQ(read("version: 1\nlisteners: [{address: \":0\"}]\n"
                 "services:\n  a: {endpoints: [\"ftp://x\", {url: \"http://x/y\"}]}\n"
                 "  b: {endpoints: []}\n")
                .findings,
            "4:19: services.a.endpoints[0]: 'ftp://x' must begin with http://, https:// or unix:\n"
            "4:36: services.a.endpoints[1]: 'http://x/y' has a path: an endpoint is only "
            "http://HOST:PORT (use the rewrite policy for paths)\n"
            "5:18: services.b.endpoints: must not be empty\n");
}

TEST(ModelErrors, UnknownNames) {
  EXPECT_EQ(findings("routes: [{service: ap}]\n"),
            "4:20: routes[0].service: unknown service \"ap\"; did you mean \"app\"?\n");
  EXPECT_EQ(
      findings("policies: {tag: {size_limit: {}}}\nroutes: [{service: app, policies: [tga]}]\n"),
      "5:36: routes[0].policies[0]: unknown policy \"tga\"; did you mean \"tag\"?\n");
  EXPECT_EQ(
      findings("routes: [{service: app, policies: [size_limit]}]\n"),
      "4:36: routes[0].policies[0]: no policy has this name; the kind is written {size_limit: "
      "{}}\n");
  EXPECT_EQ(findings("routes: [{service: app, policies: [{size_limits: {}}]}]\n"),
            "4:37: routes[0].policies[0].size_limits: unknown policy \"size_limits\"; did you mean "
            "\"size_limit\"?\n");
  EXPECT_EQ(findings("routes: [{service: app, policies: [{external_auth: {service: apq}}]}]\n"),
            "4:62: routes[0].policies[0].external_auth.service: unknown service \"apq\"; did you "
            "mean \"app\"?\n");
}

TEST(ModelErrors, PolicySettings) {
  EXPECT_EQ(
      findings("routes: [{service: app, policies: [{size_limit: {maks: 1KiB, mode: shadwo}}]}]\n"),
      "4:50: routes[0].policies[0].size_limit.maks: unknown key; did you mean \"max\"?\n"
      "4:68: routes[0].policies[0].size_limit.mode: must be one of enforce, shadow, off, not "
      "\"shadwo\"; did you mean \"shadow\"?\n");
  EXPECT_EQ(findings("policies: {a: b}\nroutes: [{service: app, policies: [[]]}]\n"),
            "4:15: policies.a: must be one kind with its settings such as {request_id: {}}, not "
            "\"b\"\n"
            "5:36: routes[0].policies[0]: must be the name of a policy, or one kind with its "
            "settings such as {request_id: {}}, not a list\n");
  EXPECT_EQ(findings("policies: {a: {size_limit: {max: 1}}}\n"),
            "4:34: policies.a.size_limit.max: needs a unit: a size is written like \"1B\"\n");
}

TEST(ModelErrors, TakenTwice) {
  EXPECT_EQ(findings("routes:\n  - {name: all, service: app}\n  - {name: all, service: app}\n"),
            "6:12: routes[1].name: the name \"all\" is taken by routes[0]; names are unique\n");
  EXPECT_EQ(
      read("version: 1\nlisteners: [{address: \"127.0.0.1:80\"}, {address: \"127.0.0.1:80\"}, "
           "{address: \"127.0.0.1:0\"}, {address: \"127.0.0.1:0\"}]\n"
           "admin: {address: \"127.0.0.1:80\"}\n")
          .findings,
      "2:50: listeners[1].address: \"127.0.0.1:80\" is the address of listeners[0].address "
      "too\n"
      "3:18: admin.address: \"127.0.0.1:80\" is the address of listeners[0].address too\n");
}

TEST(ModelErrors, Handlers) {
  EXPECT_EQ(
      findings("routes:\n  - name: a\n  - service: app\n    respond: {status: 99}\n"),
      "5:5: routes[0]: needs exactly one of \"service\", \"redirect\", \"respond\", has none\n"
      "7:5: routes[1].respond: stands beside \"service\"; the section needs exactly one of "
      "\"service\", \"redirect\", \"respond\"\n"
      "7:23: routes[1].respond.status: must be at least 200, not 99\n");
  EXPECT_EQ(findings("routes: [{redirect: {to: /, status: 200}}]\n"),
            "4:37: routes[0].redirect.status: must be 301, 302, 303, 307 or 308, not 200\n");
  EXPECT_NE(findings("routes: [{redirect: {to: \"{request.hots}\"}}]\n")
                .find("4:26: routes[0].redirect.to: "),
            std::string::npos);
}

TEST(ModelErrors, MatchesAreToldAtTheirPlace) {
  const auto begins = [](std::string_view rest, std::string_view start) {
    const std::string found = findings(rest);
    EXPECT_TRUE(found.starts_with(start)) << found;
    EXPECT_EQ(std::ranges::count(found, '\n'), 1) << found;
  };
  begins("routes: [{match: {path: orders}, service: app}]\n", "4:25: routes[0].match.path: ");
  begins("routes: [{match: {path: [/a, orders]}, service: app}]\n",
         "4:30: routes[0].match.path[1]: ");
  begins("routes: [{match: {path: [orders]}, service: app}]\n", "4:26: routes[0].match.path[0]: ");
  begins("routes: [{match: {path: {regex: \"/a(b\"}}, service: app}]\n",
         "4:33: routes[0].match.path.regex: ");
  begins("routes: [{match: {header: {x-a: {regex: \"(\"}}}, service: app}]\n",
         "4:41: routes[0].match.header.x-a.regex: ");
  begins("routes: [{match: {method: \"G ET\"}, service: app}]\n", "4:27: routes[0].match.method: ");
  begins("routes: [{match: {path: {regx: x}}, service: app}]\n",
         "4:26: routes[0].match.path.regx: ");
}

TEST(ModelErrors, AnUnknownKeyHidesNothingBesideIt) {
  const std::string found = findings(
      "routes: [{match: {path: \"/a/{b\", hosst: x, client: [1.2.3.400]}, service: app}]\n");
  for (const char* path : {"match.path: ", "match.hosst: ", "match.client[0]: "}) {
    EXPECT_NE(found.find(path), std::string::npos) << found;
  }
  EXPECT_EQ(std::ranges::count(found, '\n'), 3) << found;
  EXPECT_EQ(read("version: 1\nlistners: [{address: \":0\"}]\n").findings,
            "2:1: listners: unknown key; did you mean \"listeners\"?\n");
}

TEST(ModelErrors, AllAreToldWithoutFollowingOnes) {
  EXPECT_EQ(read("version: 1\nlisteners: [{nmae: web, address: \":0\"}]\nrotes: []\n"
                 "services: {app: {endpoints: [\"http://a\"]}}\nroutes: [{service: ap}]\n")
                .findings,
            "2:14: listeners[0].nmae: unknown key; did you mean \"name\"?\n"
            "3:1: rotes: unknown key; did you mean \"routes\"?\n"
            "5:20: routes[0].service: unknown service \"ap\"; did you mean \"app\"?\n");
  EXPECT_EQ(read("version: 1\nlisteners: [{address: \":0\"}]\n"
                 "servcies: {app: {endpoints: [\"http://a\"]}}\nroutes: [{service: app}]\n")
                .findings,
            "3:1: servcies: unknown key; did you mean \"services\"?\n");
}

// Looking for the nearest of 2,000 names costs a millisecond: not for findings that nobody sees.
// The limit is generous and of this thread's own processor time, so a slow machine does not matter.
TEST(ModelErrors, ThousandsOfUnknownNamesAreToldSoon) {
  std::string services, routes;
  for (int i = 0; i < 2'000; ++i) {
    services += fmt::format("  orders-of-team-{}: {{endpoints: [\"http://127.0.0.1:1\"]}}\n", i);
    routes += fmt::format("- {{match: {{path: /{0}}}, service: xxxxxx-yy-zzzz-{0}}}\n", i);
  }
  const auto begin = thread_time();
  const std::string found = read("version: 1\nlisteners: [{address: \":0\"}]\nservices:\n" +
                                 services + "routes:\n" + routes)
                                .findings;
  EXPECT_LT(thread_time() - begin, std::chrono::seconds(5));
  EXPECT_EQ(std::ranges::count(found, '\n'), schema::Diagnostics::kMost);
  EXPECT_NE(found.find("unknown service \"xxxxxx-yy-zzzz-0\"; there are"), std::string::npos);
}

TEST(ModelWarnings, UnusedAndShadowed) {
  EXPECT_EQ(findings("policies: {a: {size_limit: {}}}\n"),
            "1:1: warning: there is no route: every request is answered with 404\n"
            "3:17: warning: services.app: no route and no policy uses this service\n"
            "4:15: warning: policies.a: no route uses this policy\n");
  const std::string found =
      findings("routes:\n  - {name: a, service: app}\n  - {name: b, service: app}\n");
  EXPECT_TRUE(found.starts_with("6:5: warning: routes[1]: no request can reach route \"b\": "))
      << found;
}

TEST(ModelDocuments, JsonSchemaKnowsSectionsAndPolicies) {
  const schema::Json document = json_schema(kKinds);
  EXPECT_EQ(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
  for (const char* key : {"version", "listeners", "admin", "access_log", "services", "policies",
                          "policies_everywhere", "routes"}) {
    EXPECT_TRUE(document["properties"].contains(key)) << key;
  }
  const schema::Json& kinds = document["$defs"]["policy"]["properties"];
  EXPECT_EQ(kinds["size_limit"]["properties"]["mode"]["enum"].size(), 3U);
  EXPECT_EQ(document["properties"]["admin"]["default"].dump(), R"({"address":"127.0.0.1:9901"})");
}

// A line of the configuration that is shown with a finding is masked by names.
TEST(ModelDocuments, EverySecretHasANameThatIsMasked) {
  std::size_t secrets = 0;
  const auto walk = [&](const auto& self, const schema::Json& json) -> void {
    for (const auto& [key, value] : json.items()) {
      if (value.is_structured()) self(self, value);
      if (!value.is_object() || !value.contains("writeOnly")) continue;
      EXPECT_TRUE(schema::is_secret_name(key)) << key;
      ++secrets;
    }
  };
  walk(walk, json_schema(kKinds));
  EXPECT_GE(secrets, 1U);
}

TEST(ModelDocuments, PagesHaveEverySettingAndExamplesThatAreRight) {
  const std::vector<Page> pages = reference_pages(kKinds);
  ASSERT_EQ(pages.size(), 10U);
  EXPECT_EQ(pages[0].path, "configuration.md");
  EXPECT_EQ(pages[0].text.find("***"), std::string::npos);
  EXPECT_NE(pages[1].text.find("| `limits.header_bytes` | size | `32KiB` |"), std::string::npos);
  EXPECT_NE(pages[2].text.find("8 to 256 bytes"), std::string::npos);
  EXPECT_EQ(pages[8].path, "policies/size_limit.md");
  EXPECT_NE(pages[8].text.find("policies:\n  - size_limit:\n      max: 5MiB\n"), std::string::npos);
  std::string whole = "version: 1\n";
  whole += kListenerSchema.example();
  whole += kAdminSchema.example();
  whole += kServiceSchema.example();
  whole += kRouteSchema.example();
  const std::size_t rewrite = whole.find("rewrite: {strip_prefix: /orders}");
  ASSERT_NE(rewrite, std::string::npos);
  whole.replace(rewrite, 32, "size_limit: {max: 1KiB}");
  EXPECT_EQ(read(whole).findings, "");
}

}  // namespace
}  // namespace doorward::config
