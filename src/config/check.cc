// Findings are placed by their path in the tree, so that the model itself needs no places.
#include "config/check.h"

#include <fmt/format.h>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "config/listen_addresses.h"
#include "config/route_text.h"
#include "route/route_table.h"

namespace doorward::config {
namespace {

using schema::Diagnostics;
using schema::Severity;

class Checker {
 public:
  Checker(const Model& model, const text::Node& root, PolicyKinds kinds, Diagnostics& diagnostics)
      : model_(model), root_(root), kinds_(kinds), diagnostics_(diagnostics) {
    for (const auto& service : model.services) services_.push_back(service.key);
    known_services_.insert(services_.begin(), services_.end());
    for (const auto& policy : model.policies) policies_.push_back(policy.key);
  }

  void check();

 private:
  void add(Severity severity, std::string path, std::string message, std::string suggestion = {});
  void add_unknown(std::string path, std::string_view what, std::string_view name,
                   const std::vector<std::string_view>& right);
  void check_unique(std::string_view section, const std::vector<std::string>& names);
  void check_addresses();
  void check_policies();
  void check_policy(const PolicyUse& policy, const std::string& path, bool declared);
  void check_service(std::string_view name, const std::string& path);
  void check_backends();
  void check_backend(const upstream::ServiceConfig& service, const text::Node* written,
                     const std::string& path);
  void check_routes();
  void check_route_texts();
  void warn_unverified();
  void warn_unused();
  void warn_shadowed(const route::RouteTable& table);
  bool is_told(std::string_view path) const;

  const Model& model_;
  const text::Node& root_;
  PolicyKinds kinds_;
  Diagnostics& diagnostics_;
  std::vector<std::string_view> services_;
  std::unordered_set<std::string_view> known_services_;
  std::vector<std::string_view> policies_;
  std::set<std::string, std::less<>> used_services_;
  std::set<std::string, std::less<>> used_policies_;
};

std::string child(std::string path, std::string_view key) {
  schema::append_key(path, key);
  return path;
}

void Checker::add(Severity severity, std::string path, std::string message,
                  std::string suggestion) {
  const text::Node* node = diagnostics_.full() ? nullptr : schema::find_path(root_, path);
  diagnostics_.add({severity, node == nullptr ? root_.place : node->place, std::move(path),
                    std::move(message), std::move(suggestion)});
}

void Checker::check() {
  std::vector<std::string> names;
  for (const auto& listener : model_.listeners) names.push_back(listener.name);
  check_unique("listeners", names);
  names.clear();
  for (const RouteConfig& route : model_.routes) names.push_back(route.name);
  check_unique("routes", names);
  check_addresses();
  check_policies();
  check_backends();
  check_routes();
  check_route_texts();
  if (diagnostics_.ok()) warn_unverified();
  if (diagnostics_.ok()) warn_unused();
}

void Checker::check_unique(std::string_view section, const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    const auto [known, is_new] = first.emplace(names[i], i);
    if (is_new) continue;
    const std::string path = fmt::format("{}[{}]", section, i);
    const bool written = schema::find_path(root_, child(path, "name")) != nullptr;
    add(Severity::error, written ? child(path, "name") : path,
        fmt::format("the name \"{}\" is taken by {}[{}]; names are unique", names[i], section,
                    known->second));
  }
}

void Checker::check_addresses() {
  ListenAddresses taken;
  const auto take = [&](const std::string& written, const std::string& path) {
    const auto address = loop::Address::parse(written);
    const auto known = address ? taken.take(*address, path) : std::nullopt;
    if (!known) return;
    add(Severity::error, path,
        known->address == address->text()
            ? fmt::format("\"{}\" is the address of {} too", written, known->path)
            : fmt::format("\"{}\" cannot be listened on beside {}, the address of {}: one of them "
                          "takes the port on all interfaces; choose another port",
                          written, known->address, known->path));
  };
  for (std::size_t i = 0; i < model_.listeners.size(); ++i) {
    take(model_.listeners[i].address, fmt::format("listeners[{}].address", i));
  }
  if (model_.admin && model_.admin_given) take(model_.admin->address, "admin.address");
}

// A file with thousands of names that are not known is told soon, too.
void Checker::add_unknown(std::string path, std::string_view what, std::string_view name,
                          const std::vector<std::string_view>& right) {
  std::string suggestion;
  std::string message = fmt::format("unknown {} \"{}\"", what, name);
  if (!diagnostics_.full()) message = schema::unknown_name(message, name, right, suggestion);
  add(Severity::error, std::move(path), std::move(message), std::move(suggestion));
}

void Checker::check_service(std::string_view name, const std::string& path) {
  used_services_.emplace(name);
  if (known_services_.contains(name)) return;
  // A misspelt section "services" is told already.
  if (root_.find("services") == nullptr && !diagnostics_.ok()) return;
  add_unknown(path, "service", name, services_);
}

void Checker::check_policies() {
  for (const auto& policy : model_.policies) {
    check_policy(policy.value, child("policies", policy.key), true);
  }
  for (std::size_t i = 0; i < model_.policies_everywhere.size(); ++i) {
    check_policy(model_.policies_everywhere[i], fmt::format("policies_everywhere[{}]", i), false);
  }
  for (std::size_t i = 0; i < model_.routes.size(); ++i) {
    const RouteConfig& route = model_.routes[i];
    for (std::size_t j = 0; j < route.policies.size(); ++j) {
      check_policy(route.policies[j], fmt::format("routes[{}].policies[{}]", i, j), false);
    }
    if (route.service) check_service(*route.service, fmt::format("routes[{}].service", i));
  }
}

void Checker::check_policy(const PolicyUse& policy, const std::string& path, bool declared) {
  if (!policy.name.empty() && declared) {
    add(Severity::error, path,
        fmt::format("must be one kind with its settings such as {{request_id: {{}}}}, not \"{}\"",
                    policy.name));
  } else if (!policy.name.empty()) {
    used_policies_.insert(policy.name);
    if (std::ranges::find(policies_, policy.name) != policies_.end()) return;
    if (root_.find("policies") == nullptr && !diagnostics_.ok()) return;
    if (find_kind(kinds_, policy.name) == nullptr) {
      add_unknown(path, "policy", policy.name, policies_);
    } else {
      add(Severity::error, path,
          fmt::format("no policy has this name; the kind is written {{{}: {{}}}}", policy.name));
    }
  } else if (policy.settings != nullptr) {
    // A setting `service` of any kind names a service of this configuration.
    const text::Member* service = policy.written.members.front().value.find("service");
    if (service == nullptr || !service->value.is_scalar()) return;
    check_service(service->value.text, child(child(path, policy.kind), "service"));
  }
}

bool has_tls(const upstream::ServiceConfig& service) {
  return std::ranges::any_of(service.endpoints, &upstream::EndpointConfig::tls);
}

void Checker::check_backends() {
  const text::Member* section = root_.find("services");
  for (std::size_t i = 0; i < model_.services.size(); ++i) {
    // They stand in the file's order.
    const text::Node* written = section == nullptr ? nullptr : &section->value.members[i].value;
    check_backend(model_.services[i].value, written, child("services", model_.services[i].key));
  }
}

void Checker::check_backend(const upstream::ServiceConfig& service, const text::Node* written,
                            const std::string& path) {
  const std::string tls = child(path, "tls");
  // An endpoint that could not be read may have been meant as one with TLS.
  if (!has_tls(service) && written != nullptr && written->find("tls") != nullptr &&
      !is_told(child(path, "endpoints"))) {
    add(Severity::error, tls,
        "no endpoint of this service speaks TLS; write its endpoints as https://HOST[:PORT]");
  }
  if (service.protocol == upstream::Protocol::http2 &&
      service.proxy_protocol != upstream::SendProxyProtocol::off) {
    add(Severity::error, child(path, "protocol"),
        "http2 cannot stand beside proxy_protocol: a connection would carry the requests of many "
        "clients, and its header tells of one; leave protocol out, or proxy_protocol");
  }
}

void Checker::warn_unverified() {
  for (const auto& service : model_.services) {
    if (service.value.tls.verify || !has_tls(service.value)) continue;
    add(Severity::warning, child(child(child("services", service.key), "tls"), "verify"),
        "the backend's certificate is not verified: anybody on the way can read and change "
        "everything; name its CA in \"ca\" instead");
  }
}

// Of what could not be read at all, nothing more is told.
bool Checker::is_told(std::string_view path) const {
  const std::vector<schema::Diagnostic> found = diagnostics_.sorted();
  return std::ranges::any_of(found, [path](const schema::Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::error && diagnostic.path.starts_with(path);
  });
}

// "path[1]", "header.x-a" of a match as a path in the tree; {regex: …} stands for its text.
std::string match_path(const text::Node& root, std::size_t route, std::string_view field) {
  std::string path = fmt::format("routes[{}].match", route);
  if (field.starts_with("tls.")) {
    path += ".tls";
    field.remove_prefix(4);
  }
  const std::size_t dot = field.find('.');
  path = child(path, field.substr(0, std::min(dot, field.find('['))));
  if (dot != std::string_view::npos) {
    path = child(path, field.substr(dot + 1));
  } else if (const std::size_t index = field.find('['); index != std::string_view::npos) {
    path += field.substr(index);
  } else if (const text::Node* node = schema::find_path(root, path);
             node != nullptr && node->is_list()) {
    path += "[0]";
  }
  const text::Node* node = schema::find_path(root, path);
  const bool regex = node != nullptr && node->is_map() && node->find("regex") != nullptr;
  return regex ? child(path, "regex") : path;
}

void Checker::check_routes() {
  std::vector<route::RouteSpec> specs;
  for (std::size_t i = 0; i < model_.routes.size(); ++i) {
    specs.push_back({model_.routes[i].name, model_.routes[i].match, static_cast<std::uint32_t>(i)});
  }
  const bool all_right = diagnostics_.ok();
  const auto table = route::RouteTable::build(std::move(specs));
  if (!table) {
    for (const route::RouteError& error : table.error()) {
      std::string path = match_path(root_, error.route, error.field);
      if (all_right || !is_told(path)) add(Severity::error, std::move(path), error.text);
    }
  } else if (diagnostics_.ok()) {
    warn_shadowed(*table);
  }
}

void Checker::check_route_texts() {
  const auto each = [this](auto check) {
    for (std::size_t i = 0; i < model_.routes.size(); ++i) {
      const std::string path = fmt::format("routes[{}]", i);
      const text::Node* node = schema::find_path(root_, path);
      if (node != nullptr) check(model_.routes[i], *node, path, diagnostics_);
    }
  };
  each(&check_params);
  if (diagnostics_.ok()) each(&warn_methods);
}

void Checker::warn_shadowed(const route::RouteTable& table) {
  for (const route::RouteWarning& warning : table.shadowed()) {
    add(Severity::warning, fmt::format("routes[{}]", table.routes()[warning.route].value),
        fmt::format("no request can reach route \"{}\": {}",
                    model_.routes[table.routes()[warning.route].value].name, warning.reason));
  }
}

void Checker::warn_unused() {
  for (const std::string_view service : services_) {
    if (used_services_.contains(service)) continue;
    add(Severity::warning, child("services", service), "no route and no policy uses this service");
  }
  for (const std::string_view policy : policies_) {
    if (used_policies_.contains(policy)) continue;
    add(Severity::warning, child("policies", policy), "no route uses this policy");
  }
  if (model_.routes.empty()) {
    add(Severity::warning, "", "there is no route: every request is answered with 404");
  }
}

}  // namespace

void check_model(const Model& model, const text::Node& root, PolicyKinds kinds,
                 Diagnostics& diagnostics) {
  Checker(model, root, kinds, diagnostics).check();
}

}  // namespace doorward::config
