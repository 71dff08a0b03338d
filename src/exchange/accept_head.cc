// accept_head: makes the normal forms that routes and policies see, and finds out who asks.
#include "exchange/core.h"
#include "exchange/exchange.h"
#include "exchange/grpc.h"
#include "exchange/problems.h"
#include "handler/proxy/forwarded.h"
#include "http/field.h"
#include "http/uri.h"

namespace doorward::exchange::steps {
namespace {

// An offer of h2c is no upgrade here: RFC 9113 §3.1 withdrew it, and it would lead past every
// check. One with a body is none either: the tunnel begins right behind the head.
bool asks_for_upgrade(const http::RequestHead& head, codec::BodySize size) {
  return !size.may_have_bytes() && head.headers.has(http::HeaderName::upgrade) &&
         head.version != http::Version::http10 &&
         !http::has_token(head.headers, http::HeaderName::upgrade, "h2c") &&
         http::has_token(head.headers, http::HeaderName::connection, "upgrade");
}

// Before anybody looks: a client must not be able to name in Connection what policies set, nor to
// say who it is where it is not trusted.
void drop_connection_fields(Exchange& x) {
  http::HeaderList& headers = x.request().headers;
  const std::string_view upgrade =
      x.upgrade ? headers.value(http::HeaderName::upgrade) : std::string_view();
  http::remove_hop_by_hop(headers);
  if (!upgrade.empty()) headers.add(http::HeaderName::upgrade, upgrade);
  if (!x.peer_trusted) handler::drop_forwarded(headers);
}

// RFC 9110 §7.4: the connection's certificate is not for the host that is asked for. Browsers ask
// for several hosts on one connection of HTTP/2 (RFC 9113 §9.1.1), which is fine as far as it is
// for them.
bool is_misdirected(const Exchange& x) {
  const std::string_view host = x.host();
  if (host.empty() || host == x.connection.told().sni) return false;
  return !tls::CertificateSet::covers(*x.connection.served, host);
}

bool too_large(const Exchange& x) {
  const std::uint64_t limit = x.listener.config->limits.body_size.count;
  return limit != 0 && x.request_size.length > limit;
}

// A connection may outlive what the handshake was shown: whoever shows a certificate must have a
// good one, for each request. Another connection finds out how things stand now.
std::string_view fault_of_certificate(const Exchange& x) {
  if (x.connection.certificate_revoked) return "client_certificate_revoked";
  const bool over = x.connection.told().certificate->not_after < x.wall_now();
  return over ? "client_certificate_expired" : std::string_view();
}

Step refuse_certificate(Exchange& x, std::string_view code) {
  x.client_stream.retire_connection();
  return x.reply_with(403, code, kProblems[problem_number(code)].meaning);
}

// Nothing but the redirect reaches who came in cleartext, whatever it asked for.
policy::Outcome redirect_to_https(Exchange& x) {
  const policy::Outcome outcome = x.listener.https_redirect->on_request(x).take();
  if (outcome.reply != nullptr) outcome.reply->policy = "https_redirect";
  return outcome;
}

}  // namespace

loop::Task<Step> accept_head(Exchange& x) {
  x.times.begun = x.core.loop().now();
  http::RequestHead& head = x.head_;
  note_grpc(x);
  const auto target = http::split_target(head.target);
  if (!target) {
    return x.reply_with(400, to_string(target.error()), sentence(target.error()));
  }
  x.query_ = target->query;
  x.has_query_ = target->has_query;
  x.path_ = target->path;
  if (target->form != http::TargetForm::asterisk) {
    const auto path = http::normalize_path(target->path, x.arena_);
    if (!path) return x.reply_with(400, to_string(path.error()), sentence(path.error()));
    x.path_ = *path;
  }
  x.target_changed_ =
      target->form == http::TargetForm::absolute || x.path_.data() != target->path.data();
  x.authority_ = target->form == http::TargetForm::absolute
                     ? target->authority
                     : head.headers.value(http::HeaderName::host);
  if (!x.authority_.empty()) {
    const auto host = http::normalize_host(x.authority_, x.arena_);
    if (!host) return x.reply_with(400, to_string(host.error()), sentence(host.error()));
    x.host_ = host->host;
  }
  if (x.connection.served != nullptr && is_misdirected(x)) [[unlikely]] {
    return x.reply_with(421, "misdirected_request",
                        "The connection's TLS certificate is not for the host asked for: it needs "
                        "a connection of its own.");
  }
  const ListenerConfig& config = *x.listener.config;
  if (!config.trusted_proxies.empty()) {
    x.client_address =
        handler::find_client(x.connection.peer, head.headers, config.trusted_proxies);
    x.peer_trusted = handler::is_trusted(x.connection.peer, config.trusted_proxies);
    if (x.peer_trusted) x.scheme_ = handler::find_scheme(head.headers, x.scheme_);
  }
  x.request_size = x.client_stream.received_size();
  x.upgrade = asks_for_upgrade(head, x.request_size);
  drop_connection_fields(x);
  if (too_large(x)) {
    return x.reply_with(413, "body_too_large",
                        "The request's body is larger than the listener's limit.");
  }
  if (!take_grpc_timeout(x)) return Step::reply;
  if (x.connection.told().certificate != nullptr) [[unlikely]] {
    const std::string_view fault = fault_of_certificate(x);
    if (!fault.empty()) return refuse_certificate(x, fault);
  }
  if (x.listener.https_redirect != nullptr) [[unlikely]] {
    if (const policy::Outcome sent_on = redirect_to_https(x); sent_on.reply != nullptr) {
      return x.reply_with(sent_on);
    }
  }
  return Step::match_route;
}

}  // namespace doorward::exchange::steps
