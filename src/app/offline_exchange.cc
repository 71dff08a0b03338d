#include "app/offline_exchange.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "codec/h1/authority.h"
#include "codec/h1/scan.h"
#include "codec/h1/target.h"
#include "http/field.h"
#include "text/ascii.h"
#include "tls/certificate_match.h"

namespace doorward::app {
namespace {

// What the codec's scanner refuses before anything else is read.
bool is_refused_control(char c) { return c != '\t' && codec::h1::is_control(c); }

}  // namespace

bool OfflineExchange::refuse(std::string_view sentence, std::string_view code) {
  error_ = fmt::format("{} ({})", sentence, code);
  return false;
}

bool OfflineExchange::refuse(codec::h1::Refusal refusal) {
  return refuse(sentence(refusal), to_string(refusal));
}

bool OfflineExchange::refuse(http::UriRefusal refusal) {
  return refuse(sentence(refusal), to_string(refusal));
}

bool OfflineExchange::read_request(std::string_view text) {
  const bool has_method = text.find(' ') != std::string_view::npos;
  const std::string_view line = arena_.join(has_method ? "" : "GET ", text, " HTTP/1.1");
  // Listeners have limits of their own; which one is asked is not known here.
  codec::h1::ParseLimits limits;
  limits.target_length = std::numeric_limits<std::uint32_t>::max();
  if (std::ranges::any_of(line, is_refused_control))
    return refuse(codec::h1::Refusal::control_byte);
  const codec::h1::Refusal refusal = codec::h1::read_request_line(line, limits, head_);
  return refusal == codec::h1::Refusal::none ? read_target() : refuse(refusal);
}

// As the codec and accept_head do, so that the same request is refused with the same code.
bool OfflineExchange::read_target() {
  codec::h1::Target form;
  const codec::h1::Refusal refusal = codec::h1::read_target(head_.target, head_.method, form);
  if (refusal != codec::h1::Refusal::none) return refuse(refusal);
  const auto split = http::split_target(head_.target);
  if (!split) return refuse(split.error());
  const auto path = http::normalize_path(split->path, arena_);
  if (!path) return refuse(path.error());
  path_ = *path;
  query_ = split->query;
  scheme_ = form.https ? "https" : "http";
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
  if (!codec::h1::is_authority(authority)) return refuse(codec::h1::Refusal::bad_host);
  const auto host = http::normalize_host(authority, arena_);
  if (!host) return refuse(host.error());
  host_ = host->host;
  return true;
}

bool OfflineExchange::read_tls(std::string_view sni, std::string_view subject,
                               const std::vector<std::string>& names,
                               std::string_view fingerprint) {
  tls::PeerCertificate certificate;
  certificate.subject = subject;
  certificate.names = names;
  certificate.not_after = WallTime::max();  // no flag tells one
  certificate.fingerprint = tls::normal_fingerprint(fingerprint);
  if (certificate.fingerprint.empty() && !fingerprint.empty()) {
    error_ = fmt::format("--client-fingerprint {}: must be 64 hex digits", fingerprint);
    return false;
  }
  const bool has_certificate = !subject.empty() || !names.empty() || !fingerprint.empty();
  if (sni.empty() && !has_certificate) return true;
  tls_.emplace().sni = text::lower_copy(sni);
  if (has_certificate) {
    tls_->peer_certificate = std::make_shared<const tls::PeerCertificate>(std::move(certificate));
  }
  told_tls_ = tls::ClientTls(*tls_);
  scheme_ = "https";
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
  question.tls = &told_tls_;
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
    case http::Variable::request_scheme:
      return scheme_;
    case http::Variable::client_ip:
      return client_ip_;
    case http::Variable::tls_sni:
      return told_tls_.sni;
    case http::Variable::tls_version:
    case http::Variable::tls_cipher:
      return {};  // there is no handshake
    case http::Variable::tls_subject:
      return told_tls_.subject();
    case http::Variable::tls_names:
      return told_tls_.names(arena_);
    case http::Variable::tls_fingerprint:
      return told_tls_.fingerprint();
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
