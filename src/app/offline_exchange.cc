#include "app/offline_exchange.h"

#include <fmt/format.h>

#include "http/field.h"
#include "http/uri.h"

namespace doorward::app {

bool OfflineExchange::refuse(std::string_view sentence, std::string_view code) {
  error_ = fmt::format("{} ({})", sentence, code);
  return false;
}

bool OfflineExchange::read_request(std::string_view text) {
  const std::size_t space = text.find(' ');
  const bool has_method = space != std::string_view::npos;
  head_.method_text = has_method ? text.substr(0, space) : "GET";
  head_.method = http::classify_method(head_.method_text);
  return read_target(has_method ? text.substr(space + 1) : text);
}

bool OfflineExchange::read_target(std::string_view target) {
  const auto split = http::split_target(target);
  if (!split) return refuse(http::sentence(split.error()), http::to_string(split.error()));
  const auto path = http::normalize_path(split->path, arena_);
  if (!path) return refuse(http::sentence(path.error()), http::to_string(path.error()));
  path_ = *path;
  query_ = split->query;
  if (!split->authority.empty()) head_.headers.set(http::HeaderName::host, split->authority);
  return true;
}

bool OfflineExchange::read_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !http::is_token(name)) {
    error_ = fmt::format("-H '{}' is not 'name: value'", line);
    return false;
  }
  head_.headers.add(arena_.copy(name), arena_.copy(http::trim(line.substr(colon + 1))));
  return true;
}

bool OfflineExchange::read_host() {
  const std::string_view authority = head_.headers.value(http::HeaderName::host);
  if (authority.empty()) return true;
  const auto host = http::normalize_host(authority, arena_);
  if (!host) return refuse(http::sentence(host.error()), http::to_string(host.error()));
  host_ = host->host;
  return true;
}

route::RouteRequest OfflineExchange::question() const {
  route::RouteRequest question;
  question.host = host_;
  question.path = path_;
  question.query = query_;
  question.method = head_.method;
  question.method_text = head_.method_text;
  question.headers = &head_.headers;
  client_.ip_bytes(question.client_ip);
  return question;
}

void OfflineExchange::take_route(std::string_view name, const route::RouteMatch& match) {
  route_ = name;
  match_ = match;
}

OfflineExchange::Told OfflineExchange::run(const policy::ChainStep& step) {
  told_ = {};
  const policy::PolicyChain chain({step});
  chain.prepare(chain_, arena_);
  loop::Gate gate;
  if (chain.has_request()) gate.spawn(finish(chain.run_request(*this, chain_)));
  return told_;
}

// Nothing waits here, so it has ended when spawn() returns.
loop::Task<void> OfflineExchange::finish(policy::Verdict verdict) {
  const policy::Outcome outcome = co_await std::move(verdict);
  if (told_.asks.empty()) told_.reply = outcome.reply;
}

loop::Task<Result<policy::CallResponse>> OfflineExchange::call(std::string_view service,
                                                               policy::CallRequest, Deadline) {
  told_.asks = service;
  return Result<policy::CallResponse>(fail(ErrorKind::cancelled, "no service is asked offline"));
}

std::string_view OfflineExchange::target() const {
  return query_.empty() ? path_ : arena_.join(path_, "?", query_);
}

std::string_view OfflineExchange::lookup(http::Variable variable, std::string_view name) {
  switch (variable) {
    case http::Variable::request_method:
      return head_.method_text;
    case http::Variable::request_host:
      return host_;
    case http::Variable::request_path:
      return path_;
    case http::Variable::request_query:
      return query_;
    case http::Variable::request_target:
      return target();
    case http::Variable::request_id:
      return request_id_;
    case http::Variable::request_header:
      return head_.headers.value(name);
    case http::Variable::client_ip:
      return client_ip_;
    case http::Variable::route_name:
      return route_;
    case http::Variable::route_param:
      return match_.param(name).value_or(std::string_view());
    case http::Variable::response_status:
    case http::Variable::response_header:
      return {};  // there is no response
  }
  return {};
}

}  // namespace doorward::app
