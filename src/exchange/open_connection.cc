// What comes before HTTP on a client's connection: a PROXY header, the TLS handshake, and which
// HTTP is spoken: by ALPN (RFC 9113 §3.2), or by the client's first bytes (§3.3).
#include <algorithm>
#include <fmt/format.h>

#include "codec/proxy_protocol/header.h"
#include "exchange/client_connection.h"
#include "exchange/problems.h"
#include "handler/proxy/forwarded.h"
#include "text/ascii.h"
#include "tls/reasons.h"
#include "tls/server_context.h"

namespace doorward::exchange {
namespace {

using observe::Metric;

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// How long an idle connection is still heard while draining: a request may be on its way.
constexpr Duration kDrainIdle{500};
constexpr int kSwallowedReads = 16;

Chunk joined(const Chunk& first, const Chunk& second) {
  std::string all(first.view());
  all += second.view();
  return Chunk::copy_of(all);
}

}  // namespace

// While draining, a connection that has said nothing yet is not waited for long.
Deadline ClientConnection::patience(Duration usual) const {
  return Deadline::after(core_.loop().now(), draining_ ? std::min(usual, kDrainIdle) : usual);
}

// Bytes, or why there are none. A drain wakes it, and leaves a moment for what is on its way.
loop::Task<Result<Chunk>> ClientConnection::receive(Deadline deadline) {
  waiting_ = true;
  Result<Chunk> got = co_await bytes_->recv(deadline);
  if (!got && got.error().kind == ErrorKind::cancelled && draining_) {
    got = co_await bytes_->recv(Deadline::after(core_.loop().now(), kDrainIdle));
  }
  waiting_ = false;
  co_return got;
}

// False: the client left, or was too slow.
loop::Task<bool> ClientConnection::receive_more(Deadline deadline) {
  Result<Chunk> got = co_await receive(deadline);
  if (!got && got.error().kind == ErrorKind::timeout && !draining_) count_end(codec::Late::header);
  if (!got || got->empty()) co_return false;
  received_ = received_.empty() ? std::move(*got) : joined(received_, *got);
  co_return true;
}

loop::Task<bool> ClientConnection::find_protocol() {
  if (listener_.config->proxy_protocol) {
    if (!co_await read_proxy_header()) co_return false;
    if (listener_.ip_full(facts_.peer)) {
      const std::string answer =
          refuse_connection(listener_, observe::RefusedBecause::connections_per_ip);
      if (listener_.tls == nullptr) co_await send_last_words(*bytes_, answer);
      co_return false;
    }
  }
  seat_.emplace(listener_, facts_.peer);
  if (listener_.tls != nullptr) {
    if (!co_await shake_hands()) co_return false;
    if (!tls_->facts().alpn.empty()) {
      speaks_http2_ = tls_->facts().alpn == "h2";
      co_return true;
    }
  }
  if (!listener_.config->http2.enabled) co_return true;
  const Deadline deadline = patience(listener_.config->timeouts.header);
  while (kHttp2Preface.starts_with(received_.view())) {
    if (received_.size() == kHttp2Preface.size()) break;
    if (!co_await receive_more(deadline)) co_return false;
  }
  speaks_http2_ = received_.view().starts_with(kHttp2Preface);
  co_return true;
}

loop::Task<bool> ClientConnection::read_proxy_header() {
  namespace proxy_protocol = codec::proxy_protocol;
  const auto refused = [this](std::string_view why) {
    listener_.series.add_value(Metric::connections_refused,
                               static_cast<unsigned>(observe::RefusedBecause::proxy_protocol));
    core_.events().warning(
        "proxy_header_refused",
        {{"listener", listener_.config->name}, {"peer", facts_.peer_ip}, {"reason", why}});
    return false;
  };
  if (!handler::is_trusted(facts_.peer, listener_.config->proxy_protocol->trusted)) {
    co_return refused("the peer is not one of proxy_protocol.trusted");
  }
  const Deadline deadline = patience(listener_.config->timeouts.header);
  proxy_protocol::Parsed parsed;
  do {
    if (!co_await receive_more(deadline)) co_return false;
    parsed = proxy_protocol::parse(received_.view());
  } while (parsed.progress == proxy_protocol::Progress::need_more);
  if (parsed.progress == proxy_protocol::Progress::refused) co_return refused(parsed.why);
  received_.remove_prefix(parsed.size);
  if (parsed.header.local) co_return true;
  take_proxied(std::move(parsed.header));
  co_return true;
}

void ClientConnection::take_proxied(codec::proxy_protocol::Header header) {
  header.authority = text::lower_copy(header.authority);
  facts_.proxied = std::make_unique<const codec::proxy_protocol::Header>(std::move(header));
  facts_.peer = facts_.proxied->source;
  facts_.peer_ip = facts_.peer.host();
  if (facts_.proxied->tls) facts_.scheme = "https";
  tls::ClientTls told;
  told.version = facts_.proxied->tls_version;
  told.alpn = facts_.proxied->alpn;
  told.sni = facts_.proxied->authority;
  const bool tells = !told.version.empty() || !told.alpn.empty() || !told.sni.empty();
  if (tells) facts_.secure = std::make_unique<const tls::ClientTls>(told);
}

loop::Task<bool> ClientConnection::shake_hands() {
  const std::shared_ptr<const tls::ServerContext> began_with =
      listener_.tls;  // a reload changes it
  std::unique_ptr<tls::Stream> stream =
      tls::Stream::server(core_.tls(), std::move(bytes_), began_with, std::move(received_));
  received_ = {};
  tls_ = stream.get();
  bytes_ = std::move(stream);
  const Result<void> done =
      co_await tls_->handshake(patience(listener_.config->tls->handshake_timeout));
  if (tls_->showed_default()) listener_.series.add(Metric::tls_unknown_names);
  if (!done) {
    on_handshake_failed(done.error());
    if (done.error().reason == tls::reason::kPlainHttp) co_await refuse_cleartext();
    co_return false;
  }
  facts_.tls = &tls_->facts();
  facts_.secure = std::make_unique<const tls::ClientTls>(*facts_.tls);
  facts_.scheme = "https";
  const tls::CertificateSet& certificates = *began_with->settings().certificates;
  if (certificates.strict()) facts_.served = certificates.find(facts_.tls->sni);
  listener_.series.add_value(Metric::tls_handshakes, facts_.tls->resumed ? 1 : 0);
  listener_.series.add_value(Metric::tls_connections,
                             observe::tls_version_number(facts_.tls->version));
  tls_->watch_failure(*this);
  if (facts_.tls->peer_certificate != nullptr) {
    if (!certificate_stands(*began_with)) co_return false;  // the client finds another connection
    take_certificate();
  }
  co_return true;
}

// What was asked of clients may have changed during the handshake, which goes by what it began
// with; a revocation since then would find nobody here.
bool ClientConnection::certificate_stands(const tls::ServerContext& began_with) const {
  if (listener_.tls.get() == &began_with) return true;
  const tls::Trust* now =
      listener_.tls == nullptr ? nullptr : listener_.tls->settings().client_trust.get();
  if (now == nullptr || !now->has_authorities_of(*began_with.settings().client_trust)) return false;
  const tls::PeerCertificate& own = *facts_.tls->peer_certificate;
  return !now->revokes(own.id()) &&
         std::ranges::none_of(own.authorities,
                              [now](const std::string& id) { return now->revokes(id); });
}

void ClientConnection::take_certificate() {
  const tls::PeerCertificate& own = *facts_.tls->peer_certificate;
  const std::string listener = listener_.config->key();
  facts_.credentials.push_back(certificate_credential(listener, own.id()));
  for (const std::string& id : own.authorities) {
    facts_.credentials.push_back(certificate_credential(listener, id));
  }
  for (const std::string& name : facts_.credentials) {
    core_.credentials().add(certificate_uses_.emplace_front(facts_), name);
  }
}

void ClientConnection::on_handshake_failed(const Error& error) {
  listener_.series.add_value(Metric::tls_handshake_failures, tls::number_of(error.reason));
  core_.events().info("tls_handshake_failed", {{"listener", listener_.config->name},
                                               {"client", facts_.peer_ip},
                                               {"reason", error.reason},
                                               {"detail", error.cause}});
}

// After the handshake.
void ClientConnection::on_tls_failed(const Error& error) {
  listener_.series.add_value(Metric::tls_connections_broken, tls::number_of(error.reason));
  core_.events().info("tls_connection_broken", {{"listener", listener_.config->name},
                                                {"client", facts_.peer_ip},
                                                {"reason", error.reason},
                                                {"detail", error.cause}});
}

loop::Task<void> ClientConnection::refuse_cleartext() {
  const std::string answer = last_words(core_, 400, tls::reason::kPlainHttp,
                                        "This port speaks TLS: the address must begin with https.");
  co_await send_last_words(tls_->transport(), answer);
}

// The client's request is still unread: it is swallowed, so that no RST overtakes the answer.
loop::Task<void> ClientConnection::send_last_words(loop::ByteStream& to, std::string_view answer) {
  to.try_send(answer);
  to.shutdown_send();
  const Deadline deadline = Deadline::after(core_.loop().now(), kDrainIdle);
  for (int i = 0; i < kSwallowedReads; ++i) {
    const Result<Chunk> got = co_await to.recv(deadline);
    if (!got || got->empty()) break;
  }
}

}  // namespace doorward::exchange
