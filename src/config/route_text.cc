#include "config/route_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "http/template.h"
#include "route/path_pattern.h"
#include "text/nearest.h"

namespace doorward::config {
namespace {

using schema::Severity;

// The IANA registry of methods (the usual ones first: of equally near names the first is told), and
// PURGE, which caches take.
constexpr std::string_view kMethods[] = {"GET",
                                         "HEAD",
                                         "POST",
                                         "PUT",
                                         "DELETE",
                                         "PATCH",
                                         "OPTIONS",
                                         "TRACE",
                                         "CONNECT",
                                         "QUERY",
                                         "PURGE",
                                         "ACL",
                                         "BIND",
                                         "CHECKIN",
                                         "CHECKOUT",
                                         "COPY",
                                         "BASELINE-CONTROL",
                                         "LABEL",
                                         "LINK",
                                         "LOCK",
                                         "MERGE",
                                         "MKACTIVITY",
                                         "MKCALENDAR",
                                         "MKCOL",
                                         "MKWORKSPACE",
                                         "MOVE",
                                         "PRI",
                                         "ORDERPATCH",
                                         "MKREDIRECTREF",
                                         "PROPFIND",
                                         "PROPPATCH",
                                         "REBIND",
                                         "REPORT",
                                         "SEARCH",
                                         "UPDATEREDIRECTREF",
                                         "UNBIND",
                                         "UNCHECKOUT",
                                         "UNLINK",
                                         "UNLOCK",
                                         "UPDATE",
                                         "VERSION-CONTROL"};

// The names of all parameters of the route's paths; nothing where a path could not be read.
std::optional<std::vector<std::string>> params_of(const RouteConfig& route) {
  std::vector<std::string> params;
  for (const route::PathMatch& path : route.match.paths) {
    const auto pattern = route::parse_path(path);
    if (!pattern) return std::nullopt;
    params.insert(params.end(), pattern->params.begin(), pattern->params.end());
  }
  return params;
}

class ParamCheck {
 public:
  ParamCheck(const std::vector<std::string>& params, schema::Diagnostics& diagnostics)
      : right_(params.begin(), params.end()), diagnostics_(diagnostics) {}

  // Every text below `node`: only the schemas know which are templates, but nothing else names a
  // variable.
  void walk(const text::Node& node, const std::string& path) {
    if (node.is_scalar()) check(node, path);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      walk(node.items[i], fmt::format("{}[{}]", path, i));
    }
    for (const text::Member& member : node.members) {
      std::string below = path;
      schema::append_key(below, member.key);
      walk(member.value, below);
    }
  }

 private:
  void check(const text::Node& node, const std::string& path) {
    if (!node.text.contains("{route.param.")) return;
    const auto text = http::Template::compile(node.text, http::TemplateScope::response);
    if (!text) return;
    for (const http::Template::Piece& piece : text->pieces()) {
      if (piece.literal || piece.variable != http::Variable::route_param) continue;
      if (std::ranges::find(right_, piece.text) != right_.end()) continue;
      std::string suggestion;
      std::string message = schema::unknown_name(
          fmt::format("no path of this route has {{{}}}, so {{route.param.{}}} is always empty",
                      piece.text, piece.text),
          piece.text, right_, suggestion);
      diagnostics_.add(
          {Severity::error, node.place, path, std::move(message), std::move(suggestion)});
    }
  }

  std::vector<std::string_view> right_;
  schema::Diagnostics& diagnostics_;
};

}  // namespace

void check_params(const RouteConfig& route, const text::Node& node, const std::string& path,
                  schema::Diagnostics& diagnostics) {
  const auto params = params_of(route);
  if (!params) return;
  ParamCheck check(*params, diagnostics);
  for (const char* key : {"policies", "redirect", "respond"}) {
    if (const text::Member* member = node.find(key)) {
      check.walk(member->value, fmt::format("{}.{}", path, key));
    }
  }
}

void warn_methods(const RouteConfig& route, const text::Node& node, const std::string& path,
                  schema::Diagnostics& diagnostics) {
  const text::Node* written = schema::find_path(node, "match.method");
  for (std::size_t i = 0; i < route.match.methods.size(); ++i) {
    const std::string& method = route.match.methods[i];
    if (std::ranges::find(kMethods, method) != std::end(kMethods)) continue;
    const auto near = text::nearest(method, kMethods);
    if (!near) continue;
    const bool list = written != nullptr && written->is_list();
    const std::string at = path + ".match.method" + (list ? fmt::format("[{}]", i) : "");
    const text::Node& place = list ? written->items[i] : written != nullptr ? *written : node;
    diagnostics.add({Severity::warning, place.place, at,
                     fmt::format("unknown method \"{}\"; did you mean \"{}\"?", method, *near),
                     std::string(*near)});
  }
}

}  // namespace doorward::config
