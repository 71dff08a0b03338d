#include "config/compile.h"

#include <fmt/format.h>
#include <unordered_map>

#include "config/access_log_place.h"
#include "config/tls.h"
#include "policy/registry.h"

namespace doorward::config {
namespace {

using exchange::Snapshot;
using schema::Diagnostics;

class Compiler {
 public:
  Compiler(const Model& model, const CompileTools& tools, Diagnostics& diagnostics)
      : model_(model), tools_(tools), diagnostics_(diagnostics), tls_(tools, diagnostics) {
    for (const auto& service : model.services) {
      service_index_.emplace(service.key, service_names_.size());
      service_names_.push_back(service.key);
    }
  }

  std::shared_ptr<const Snapshot> compile();
  policy::PolicyChain compile_chain(const RouteConfig& route);

 private:
  void add_listeners();
  void add_services();
  void add_named_policies();
  void add_route(const RouteConfig& config, std::size_t index);
  void open_access_log();
  exchange::Handler handler_of(const RouteConfig& config);
  policy::PolicyChain chain_of(const RouteConfig& config);
  void add_steps(const std::vector<PolicyUse>& uses, std::vector<policy::ChainStep>& steps);
  http::Template compile_template(const std::string& text, std::string_view what);

  const Model& model_;
  const CompileTools& tools_;
  Diagnostics& diagnostics_;
  TlsCompiler tls_;
  std::vector<std::string_view> service_names_;
  std::unordered_map<std::string_view, std::size_t> service_index_;
  policy::NamedPolicies named_;
  std::shared_ptr<Snapshot> made_ = std::make_shared<Snapshot>();
};

std::shared_ptr<const Snapshot> Compiler::compile() {
  made_->table = compile_routes(model_, diagnostics_);
  if (made_->table == nullptr) return nullptr;
  if (model_.debug) made_->debug_token = model_.debug->token;
  add_listeners();
  add_services();
  add_named_policies();
  for (std::size_t i = 0; i < model_.routes.size(); ++i) add_route(model_.routes[i], i);
  if (diagnostics_.ok()) open_access_log();
  if (!diagnostics_.ok()) return nullptr;
  return made_;
}

policy::PolicyChain Compiler::compile_chain(const RouteConfig& route) {
  add_named_policies();
  return chain_of(route);
}

void Compiler::add_listeners() {
  for (std::size_t i = 0; i < model_.listeners.size(); ++i) {
    const exchange::ListenerConfig& listener = model_.listeners[i];
    exchange::ListenerEntry& entry = made_->listeners.emplace_back();
    entry.config = std::make_shared<const exchange::ListenerConfig>(listener);
    entry.slot = tools_.metrics.slot(observe::Scope::listener, listener.name);
    tls_.add_listener(i, entry);
  }
  tls_.warn_of_hosts(model_);
}

void Compiler::add_services() {
  for (const auto& service : model_.services) {
    exchange::ServiceEntry& entry = made_->services.emplace_back();
    entry.slot = tools_.metrics.slot(observe::Scope::service, service.value.name);
    tls_.add_service(service.value, entry);
  }
}

void Compiler::add_named_policies() {
  policy::PolicyBuild build(service_names_, diagnostics_);
  for (const auto& policy : model_.policies) {
    std::optional<policy::ChainStep> step =
        policy::Registry::builtin().read_item(policy.value.written, {}, build);
    if (!step) continue;
    step->name = policy.key;
    named_.emplace(policy.key, *std::move(step));
  }
}

void Compiler::add_steps(const std::vector<PolicyUse>& uses,
                         std::vector<policy::ChainStep>& steps) {
  policy::PolicyBuild build(service_names_, diagnostics_);
  for (const PolicyUse& use : uses) {
    if (!use.name.empty()) {
      const auto known = named_.find(use.name);
      if (known != named_.end()) steps.push_back(known->second);
      continue;
    }
    std::optional<policy::ChainStep> step =
        policy::Registry::builtin().read_item(use.written, named_, build);
    if (step) steps.push_back(*std::move(step));
  }
}

policy::PolicyChain Compiler::chain_of(const RouteConfig& config) {
  std::vector<policy::ChainStep> steps;
  add_steps(model_.policies_everywhere, steps);
  add_steps(config.policies, steps);
  return policy::PolicyChain(std::move(steps));
}

http::Template Compiler::compile_template(const std::string& text, std::string_view what) {
  Result<http::Template> made = http::Template::compile(text, http::TemplateScope::request);
  if (made) return *std::move(made);
  diagnostics_.error(fmt::format("{}: {}", what, made.error().cause));
  return {};
}

exchange::Handler Compiler::handler_of(const RouteConfig& config) {
  if (config.redirect) {
    return handler::Redirect{compile_template(config.redirect->to, "redirect.to"),
                             config.redirect->status};
  }
  if (config.respond) {
    handler::FixedResponse fixed;
    fixed.status = config.respond->status;
    fixed.body = compile_template(config.respond->body, "respond.body");
    fixed.content_type = config.respond->content_type;
    for (const auto& [name, value] : config.respond->headers) {
      fixed.headers.emplace_back(name, compile_template(value, "respond.headers." + name));
    }
    return fixed;
  }
  return exchange::ServiceTarget{service_index_.at(*config.service)};
}

void Compiler::add_route(const RouteConfig& config, std::size_t) {
  exchange::Route route;
  route.name = config.name;
  route.handler = handler_of(config);
  route.chain = chain_of(config);
  route.slot = tools_.metrics.slot(observe::Scope::route, config.name);
  route.wants_certificate = config.match.tls.wants_certificate();
  made_->routes.push_back(std::move(route));
}

void Compiler::open_access_log() {
  if (!model_.access_log) return;
  const Snapshot* before = tools_.before;
  if (before != nullptr && before->access_log != nullptr &&
      before->access_log->config() == *model_.access_log) {
    made_->access_log = before->access_log;
    return;
  }
  auto log =
      observe::AccessLog::open(*model_.access_log, tools_.cores, tools_.events, tools_.log_shard);
  if (log) {
    made_->access_log = std::move(*log);
  } else {
    const std::string problem = access_log_problem(*model_.access_log);
    diagnostics_.add({schema::Severity::error,
                      {},
                      problem.empty() ? "" : "access_log.path",
                      problem.empty() ? log.error().cause : problem,
                      {}});
  }
}

// Tools for what is compiled only to see whether it can be.
struct Nowhere {
  observe::Metrics metrics;
  observe::EventLog events;
  CompileTools tools{metrics, events, metrics.make_shard()};
};

}  // namespace

std::unique_ptr<const route::RouteTable> compile_routes(const Model& model,
                                                        Diagnostics& diagnostics) {
  std::vector<route::RouteSpec> specs;
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    specs.push_back({model.routes[i].name, model.routes[i].match, static_cast<std::uint32_t>(i)});
  }
  auto table = route::RouteTable::build(std::move(specs));
  if (table) return std::make_unique<const route::RouteTable>(*std::move(table));
  for (const route::RouteError& error : table.error()) {
    diagnostics.add({schema::Severity::error,
                     {},
                     fmt::format("routes[{}].match.{}", error.route, error.field),
                     error.text,
                     {}});
  }
  return nullptr;
}

void dry_run(const Model& model, const text::Node& written, Diagnostics& diagnostics) {
  Model without_log = model;
  without_log.access_log.reset();
  Nowhere nowhere;
  nowhere.tools.written = &written;
  compile(without_log, nowhere.tools, diagnostics);
}

policy::PolicyChain compile_chain(const Model& model, const RouteConfig& route,
                                  Diagnostics& diagnostics) {
  Nowhere nowhere;
  return Compiler(model, nowhere.tools, diagnostics).compile_chain(route);
}

std::shared_ptr<const Snapshot> compile(const Model& model, const CompileTools& tools,
                                        Diagnostics& diagnostics) {
  return Compiler(model, tools, diagnostics).compile();
}

}  // namespace doorward::config
