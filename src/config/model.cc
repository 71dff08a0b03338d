// The whole configuration: its top, and the order in which it is read.
#include "config/model.h"

#include <fmt/format.h>

#include "config/check.h"

namespace doorward::config {
namespace {

using schema::field;
using schema::of;
using schema::required;

// Not constexpr: the sections' schemas live in other files.
const auto kModel = schema::schema<Model>(
    "doorward", "The configuration of Doorward.",
    field("version", &Model::version, "Of this format; 1.", required(), schema::at_least(1),
          schema::at_most(1)),
    field("listeners", &Model::listeners, "Where clients connect.", required(), of(kListenerSchema),
          schema::count(1, 1000)),
    field("admin", &Model::admin, "The admin listener.", of(kAdminSchema), schema::or_off()),
    field("access_log", &Model::access_log, "One line per request.", of(observe::kAccessLogSchema),
          schema::or_off()),
    field("debug", &Model::debug, "Answers that say what became of a request; off by default.",
          of(kDebugSchema), schema::or_off()),
    field("services", &Model::services, "Backends by name.", of(kServiceSchema),
          schema::keys_are(schema::kName)),
    field("policies", &Model::policies, "Policies by name, for use in several routes.",
          schema::keys_are(schema::kName)),
    field("policies_everywhere", &Model::policies_everywhere,
          "Policies that run before each route's own."),
    field("routes", &Model::routes, "Which requests go where.", of(kRouteSchema)));

void name_unnamed(Model& model) {
  for (std::size_t i = 0; i < model.listeners.size(); ++i) {
    std::string& name = model.listeners[i].name;
    if (name.empty()) name = fmt::format("listener-{}", i + 1);
  }
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    std::string& name = model.routes[i].name;
    if (name.empty()) name = fmt::format("route-{}", i + 1);
  }
  for (auto& service : model.services) service.value.name = service.key;
}

// Opens the path down to a policy and reads its settings.
class Resolver {
 public:
  Resolver(PolicyKinds kinds, schema::Diagnostics& diagnostics)
      : kinds_(kinds), diagnostics_(diagnostics) {}

  void list(std::vector<PolicyUse>& policies) {
    for (std::size_t i = 0; i < policies.size(); ++i) {
      const schema::Diagnostics::Scope scope(diagnostics_, i, policies[i].written);
      resolve(policies[i], kinds_, diagnostics_);
    }
  }

  void all(Model& model, const text::Node& root) {
    {
      const schema::Diagnostics::Scope scope(diagnostics_, "policies", root);
      for (auto& policy : model.policies) {
        const schema::Diagnostics::Scope key(diagnostics_, policy.key, policy.value.written);
        resolve(policy.value, kinds_, diagnostics_);
      }
    }
    {
      const schema::Diagnostics::Scope scope(diagnostics_, "policies_everywhere", root);
      list(model.policies_everywhere);
    }
    const schema::Diagnostics::Scope scope(diagnostics_, "routes", root);
    for (std::size_t i = 0; i < model.routes.size(); ++i) {
      const schema::Diagnostics::Scope route(diagnostics_, i, root);
      const schema::Diagnostics::Scope policies(diagnostics_, "policies", root);
      list(model.routes[i].policies);
    }
  }

 private:
  PolicyKinds kinds_;
  schema::Diagnostics& diagnostics_;
};

}  // namespace

constinit const schema::SchemaOf<Model>& kModelSchema = kModel;

std::optional<Model> read_model(const text::Node& root, PolicyKinds kinds,
                                schema::Diagnostics& diagnostics) {
  Model model;
  const schema::Diagnostics::Scope top(diagnostics, root);
  kModelSchema.read(root, model, diagnostics);
  model.admin_given = root.find("admin") != nullptr;
  name_unnamed(model);
  Resolver(kinds, diagnostics).all(model, root);
  check_model(model, root, kinds, diagnostics);
  if (!diagnostics.ok()) return std::nullopt;
  return model;
}

std::optional<Model> single_upstream_model(std::string_view url, schema::Diagnostics& diagnostics) {
  upstream::EndpointUrl parsed = upstream::parse_endpoint(std::string(url));
  if (!parsed.error.empty()) {
    diagnostics.error(std::move(parsed.error));
    return std::nullopt;
  }
  Model model = kModelSchema.defaults();
  exchange::ListenerConfig listener = kListenerSchema.defaults();
  listener.name = "web";
  listener.address = ":8080";
  model.listeners.push_back(std::move(listener));
  upstream::ServiceConfig service = kServiceSchema.defaults();
  service.name = "upstream";
  service.endpoints.push_back(std::move(parsed.endpoint));
  model.services.push_back({"upstream", std::move(service), {}});
  RouteConfig route = kRouteSchema.defaults();
  route.name = "all";
  route.service = "upstream";
  model.routes.push_back(std::move(route));
  return model;
}

}  // namespace doorward::config
