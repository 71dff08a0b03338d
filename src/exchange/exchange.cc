#include "exchange/exchange.h"

#include <fmt/format.h>
#include <utility>

#include "exchange/core.h"
#include "exchange/debug_answer.h"
#include "handler/proxy/websocket_tunnel.h"
#include "http/uri.h"
#include "observe/request_id.h"

namespace doorward::exchange {
namespace {

constexpr Duration kHalfClosedLook{100};

}  // namespace

Exchange::Exchange(Core& c, ListenerState& l, const ClientFacts& from, CoreSnapshot& s,
                   codec::ServerStream& client)
    : core(c),
      listener(l),
      snapshot(s),
      client_stream(client),
      connection(from),
      client_address(from.peer),
      expectation(c.loop()),
      scheme_(from.scheme) {}

Exchange::~Exchange() {
  client_stream.watch_client(nullptr);
  end_attempt();
}

void Exchange::join(Exchange*& first) {
  next = first;
  link_ = &first;
  if (next != nullptr) next->link_ = &next;
  first = this;
}

void Exchange::leave() {
  *link_ = next;
  if (next != nullptr) next->link_ = link_;
}

void Exchange::keep_asked_target() {
  if (std::exchange(rewritten_, true)) return;
  asked_path_ = path_;
  asked_query_ = query_;
}

void Exchange::set_path(std::string_view path) {
  keep_asked_target();
  path_ = path;
  target_changed_ = true;
}

void Exchange::set_query(std::string_view query) {
  keep_asked_target();
  query_ = query;
  has_query_ = !query.empty();
  target_changed_ = true;
}

std::string_view Exchange::client_ip() const {
  if (client_ip_.empty()) {
    client_ip_ = client_address == connection.peer
                     ? std::string_view(connection.peer_ip)
                     : const_cast<Arena&>(arena_).copy(client_address.host());
  }
  return client_ip_;
}

std::string_view Exchange::route() const {
  return matched == nullptr ? std::string_view() : matched->name;
}

std::string_view Exchange::request_id() const {
  if (request_id_.empty()) {
    char* text = const_cast<Arena&>(arena_).bytes(observe::kHexIdLength);
    observe::write_hex_id(core.loop().random(), text);
    request_id_ = {text, observe::kHexIdLength};
  }
  return request_id_;
}

TimePoint Exchange::now() const { return core.loop().now(); }
WallTime Exchange::wall_now() const { return core.loop().wall_now(); }
Random& Exchange::random() { return core.loop().random(); }

void Exchange::on_shadow_reply(std::string_view policy, const http::Reply& reply) {
  if (debug != nullptr) debug->on_shadow_reply(reply);
  core.metrics().route(matched->slot).add(observe::Metric::route_shadow_replies);
  core.events().info("shadow_reply", {{"route", route()},
                                      {"policy", policy},
                                      {"code", reply.code},
                                      {"status", unsigned{reply.status}}});
}

void Exchange::on_skipped(std::string_view policy, const http::Reply& instead) {
  if (debug != nullptr) debug->on_skipped(instead);
  core.events().warning(
      "policy_skipped",
      {{"route", route()}, {"policy", policy}, {"code", instead.code}, {"reason", instead.detail}});
}

std::string_view Exchange::lookup(http::Variable variable, std::string_view name) {
  using http::Variable;
  switch (variable) {
    case Variable::request_method:
      return head_.method_text;
    case Variable::request_host:
      return host_;
    case Variable::request_path:
      return path_;
    case Variable::request_query:
      return query_;
    case Variable::request_target:
      return backend_target();
    case Variable::request_id:
      return request_id();
    case Variable::request_header:
      return head_.headers.value(name);
    case Variable::request_scheme:
      return scheme();
    case Variable::client_ip:
      return client_ip();
    case Variable::tls_version:
      return connection.told().version;
    case Variable::tls_cipher:
      return connection.told().cipher;
    case Variable::tls_sni:
      return connection.told().sni;
    case Variable::tls_subject:
      return connection.told().subject();
    case Variable::tls_names:
      return connection.told().names(arena_);
    case Variable::tls_fingerprint:
      return connection.told().fingerprint();
    case Variable::route_name:
      return route();
    case Variable::route_param:
      return match.param(name).value_or(std::string_view());
    case Variable::response_status: {
      if (response_head == nullptr) return {};
      const fmt::format_int text(response_head->status);
      return arena_.copy({text.data(), text.size()});
    }
    case Variable::response_header:
      return response_head == nullptr ? std::string_view() : response_head->headers.value(name);
  }
  return {};
}

std::string_view Exchange::backend_target() {
  if (!target_changed_) return head_.target;
  return has_query_ ? arena_.join(path_, "?", query_) : path_;
}

void Exchange::begin_response() { response_head = arena_.make<http::ResponseHead>(arena_); }

// RFC 6797 §7.2: not over a transport that is not secure. The listener's settings may be others
// before this head is sent, so its bytes are copied.
void Exchange::add_hsts() {
  if (scheme_ != "https") return;
  response().headers.set(http::HeaderName::strict_transport_security, arena_.copy(*listener.hsts));
}

void Exchange::drain() {
  draining = true;
  if (websocket != nullptr) websocket->go_away();
}

void Exchange::end_websocket_at(TimePoint when, std::string_view reason) {
  bring_forward({when, "websocket_credential_expired", reason});
}

// In the exchange's arena: it leaves the core's LiveCredentials with the exchange.
class Exchange::RevocableUse final : public CredentialUse {
 public:
  RevocableUse(Exchange& exchange, std::string_view reason)
      : exchange_(exchange), reason_(reason) {}

  void on_revoked() override {
    exchange_.bring_forward({TimePoint::min(), "websocket_credential_revoked", reason_});
  }

 private:
  Exchange& exchange_;
  std::string_view reason_;
};

void Exchange::end_websocket_with(std::string_view credential, std::string_view reason) {
  if (!upgrade) return;
  core.credentials().add(*arena_.make<RevocableUse>(*this, reason), credential);
}

void Exchange::end_websocket_with_certificate() {
  const tls::PeerCertificate* certificate = connection.told().certificate;
  if (!upgrade || certificate == nullptr || std::exchange(ends_with_certificate_, true)) return;
  end_websocket_at(now() + (certificate->not_after - wall_now()),
                   "the client certificate has expired");
  constexpr std::string_view kRevoked = "the client certificate was revoked";
  for (const std::string& name : connection.credentials) end_websocket_with(name, kRevoked);
  if (connection.certificate_revoked) {  // while this request was on its way here
    bring_forward({TimePoint::min(), "websocket_credential_revoked", kRevoked});
  }
}

void Exchange::bring_forward(const WebSocketEnd& end) {
  if (end.when >= websocket_end_.when) return;
  websocket_end_ = end;
  if (websocket != nullptr) watch_credential();
}

void Exchange::watch_credential() {
  if (websocket_end_.when == TimePoint::max()) return;
  if (websocket_end_.when <= now()) {
    return websocket->dismiss(websocket_end_.code, websocket_end_.reason);
  }
  core.loop().timers().arm(credential_, Deadline(websocket_end_.when));
}

// Where the listener lets nobody in without a certificate, or the route was chosen by it, that is
// what let the WebSocket in; policies have said theirs already.
void Exchange::begin_websocket(handler::WebSocketTunnel& tunnel) {
  websocket = &tunnel;
  if (matched->wants_certificate || listener.config->requires_certificate()) {
    end_websocket_with_certificate();
  }
  if (draining || core.draining()) tunnel.go_away();
  watch_credential();
}

void Exchange::end_websocket() {
  core.loop().timers().disarm(credential_);
  if (!websocket->error_code().empty()) error_code = websocket->error_code();
  websocket = nullptr;
}

void Exchange::give_up() {
  client_gone = true;
  if (waiter != nullptr) waiter->cancel();
  if (attempt.connection == nullptr) return;
  attempt.connection->cancel_read();
  attempt.connection->cancel_write();
}

void Exchange::note_repeat(const Error& why) {
  if (debug != nullptr) debug->on_attempt_failed(why);
  times.repeat();
}

void Exchange::complete_attempt() {
  if (attempt.connection == nullptr) return;
  service->series().answered(response_head->status, micros(times.asked, times.first_byte),
                             attempt.bytes());
  end_attempt();
}

void Exchange::fail_attempt() {
  if (client_gone || upload_failed) return abandon_attempt();
  service->series().failed(micros(times.asked, now()), attempt.bytes());
  if (attempt.connection != nullptr) attempt.connection->abort();
  end_attempt();
}

void Exchange::abandon_attempt() {
  service->series().abandoned(attempt.bytes());
  if (attempt.connection != nullptr) attempt.connection->abort();
  end_attempt();
}

void Exchange::end_attempt() {
  if (attempt.connection != nullptr) attempt.endpoint->pool().give(std::move(attempt.connection));
}

// A client that broke the connection is gone (499 in the log). One that sent FIN may have closed,
// or only finished sending: it is probed, and what its kernel answered is looked at until it is
// clear or the exchange ends.
void Exchange::on_peer_end(ErrorKind how) {
  if (how == ErrorKind::closed) {
    client_stream.probe_client();
    core.loop().timers().arm(half_closed_, Deadline::after(now(), kHalfClosedLook));
    return;
  }
  client_gone = true;
  if (waiter != nullptr) waiter->cancel();
  if (attempt.connection != nullptr) attempt.connection->cancel_read();
}

void Exchange::on_timer(loop::Timer& timer) {
  if (&timer == &overdue) {
    response_overdue = true;
    if (attempt.connection != nullptr) attempt.connection->cancel_read();
    return;
  }
  if (&timer == &credential_) return watch_credential();
  if (client_stream.client_broken()) return on_peer_end(ErrorKind::reset);
  core.loop().timers().arm(half_closed_, Deadline::after(now(), kHalfClosedLook));
}

}  // namespace doorward::exchange
