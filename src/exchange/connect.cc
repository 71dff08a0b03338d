// connect: a connection of the pool, or a new one; when an endpoint refuses, the next one is
// asked, since the request never reached it.
#include "codec/proxy_protocol/header.h"
#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange::steps {
namespace {

constexpr std::uint32_t kMostAttempts = upstream::Tried::kMost;

Step connected(Exchange& x) {
  x.attempt.connection->begin(x.arena());
  x.attempt.connection->set_total_deadline(x.total_deadline());
  x.times.connected = x.core.loop().now();
  return Step::send_request;
}

// What the backend is told of the client's connection before its bytes; empty when nothing is.
std::string_view proxy_header(Exchange& x) {
  const upstream::SendProxyProtocol version = x.service->config().proxy_protocol;
  if (version == upstream::SendProxyProtocol::off) [[likely]]
    return {};
  codec::proxy_protocol::Header header;
  header.source = x.client_address;
  if (header.source.port() == 0) header.source.set_port(x.connection.peer.port());
  header.destination = x.connection.local();
  header.tls = x.connection.scheme == "https";
  header.tls_version = x.connection.told().version;
  header.authority = x.connection.told().sni;
  header.alpn = x.connection.told().alpn;
  return x.arena().copy(version == upstream::SendProxyProtocol::v1 ? write_v1(header)
                                                                   : write_v2(header));
}

loop::Task<Step> open(Exchange& x) {
  x.attempt.reused = false;
  x.times.opening = x.core.loop().now();
  if (!std::exchange(x.attempt.has_room, false)) {
    x.attempt.alone = x.attempt.endpoint->pool().alone(x.want());
    x.attempt.endpoint->pool().reserve(x.attempt.alone);
  }
  auto opened = co_await x.attempt.endpoint->connect(x.total_deadline(), x.attempt.alone,
                                                     proxy_header(x), x.client_deadline());
  if (!opened) {
    x.times.connected = x.core.loop().now();
    opened.error().side == Side::doorward ? x.abandon_attempt() : x.fail_attempt();
    x.tried.add(*x.attempt.endpoint);
    if (x.total_deadline().passed(x.times.connected)) {
      opened.error().reason = "total_timeout";
      co_return x.reply_to(opened.error());
    }
    const bool elsewhere = opened.error().retry == Retry::yes && x.service->has_untried(x.tried);
    if (elsewhere && x.attempts < kMostAttempts && !x.client_gone) {
      x.note_repeat(opened.error());
      co_return Step::choose_endpoint;
    }
    co_return x.reply_to(opened.error());
  }
  x.attempt.connection = std::move(*opened);
  co_return connected(x);
}

}  // namespace

// A body that is not wholly in hand may be too long to be sent twice, so such a request never goes
// out on a connection that may be stale: it opens its own. Shared ones tell when they end. An
// upgrade opens its own where the others share HTTP/2, which few backends can upgrade.
loop::Task<Step> connect(Exchange& x) {
  const bool may_reuse = x.attempt.endpoint->pool().may_take(x.want());
  if (may_reuse && !x.attempt.has_room && x.attempt.connection == nullptr) {
    x.attempt.connection = x.attempt.endpoint->pool().take(x.want());
  }
  if (x.attempt.connection == nullptr) return open(x);
  x.attempt.reused = true;
  x.service->series().add(observe::Metric::service_reuses);
  return connected(x);
}

}  // namespace doorward::exchange::steps
