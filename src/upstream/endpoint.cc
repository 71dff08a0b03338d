#include "upstream/endpoint.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>

#include "base/shortage.h"
#include "codec/h2/client_connection.h"
#include "codec/proxy_protocol/header.h"
#include "tls/reasons.h"
#include "tls/stream.h"

namespace doorward::upstream {
namespace {

constexpr Duration kFailingFirst{1'000};
constexpr Duration kFailingMost{8'000};
// A client may give a connection hardly any time (grpc-timeout): that says nothing of the endpoint
// before several have waited so long together, enough for TCP and TLS around the world.
constexpr Duration kFairWait{500};
constexpr std::string_view kHttp1 = "http/1.1";

std::string url_of(const EndpointConfig& config, const loop::Address& address) {
  if (address.is_unix()) return config.url;
  return (config.tls ? "https://" : "http://") + address.text();
}

Pool::Kind kind_of(const ServiceConfig& service, bool tls) {
  if (service.proxy_protocol != SendProxyProtocol::off) return Pool::Kind::separate;
  if (service.protocol == Protocol::http2) return Pool::Kind::shared;
  return tls && service.protocol == Protocol::automatic ? Pool::Kind::unknown
                                                        : Pool::Kind::separate;
}

// Doorward asks for itself.
std::string own_preamble(SendProxyProtocol version) {
  codec::proxy_protocol::Header header;
  header.local = true;
  if (version == SendProxyProtocol::v1) return write_v1(header);
  return version == SendProxyProtocol::v2 ? write_v2(header) : "";
}

// What an operator looks at first.
std::string_view way_out(const Error& error) {
  if (error.kind == ErrorKind::timeout) {
    return "check that its host is up and that no firewall drops the packets; timeouts.connect "
           "says how long is waited";
  }
  switch (error.code) {
    case ECONNREFUSED:
      return "nothing listens there: start the backend, or correct the endpoint";
    case ENOENT:
      return "there is no such socket file: start the backend, or correct the endpoint's path";
    case EACCES:
      return "this user may not write to the socket file: change its owner or permissions";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "no route leads there: check the endpoint's address and this machine's network";
    case EADDRNOTAVAIL:
      return "this machine has no address of that kind, or no free local port left (sysctl "
             "net.ipv4.ip_local_port_range)";
    default:
      return "check that the backend runs there, and the network between";
  }
}

}  // namespace

Endpoint::Endpoint(const ConnectionSettings& settings, Queue& queue, const EndpointConfig& config,
                   const loop::Address& address, std::uint32_t number)
    : settings_(settings),
      address_(address),
      number_(number),
      speaks_tls_(config.tls),
      target_{config.host, config.tls ? std::make_shared<tls::SessionSlot>() : nullptr, {}},
      http1_target_{target_.host, target_.session, kHttp1},
      url_(url_of(config, address)),
      authority_(config.authority()),
      pool_(settings.loop, settings.service.pool, settings.series, queue,
            kind_of(settings.service, config.tls),
            settings.service.proxy_protocol != SendProxyProtocol::off) {}

loop::Task<Result<std::unique_ptr<Connection>>> Endpoint::connect(Deadline deadline, bool alone,
                                                                  std::string_view preamble,
                                                                  Deadline client) {
  const TimePoint begun = settings_.loop.now();
  const Deadline by = Deadline::after(begun, settings_.service.timeouts.connect).earlier(deadline);
  Result<Opened> opened =
      alone ? co_await open_alone(by, alone) : co_await open(by, preamble, target_);
  if (!opened) {
    settings_.series.add(observe::Metric::service_connect_failures);
    const bool hasty = is_hasty(opened.error(), begun, client);
    Failure failure = failed(std::move(opened.error()), hasty);
    pool_.release(alone, hasty ? nullptr : &failure.error());  // not before it counts as failing
    co_return failure;
  }
  settings_.series.add(observe::Metric::service_connects);
  waited_in_vain_ = {};
  if (failing_for_ != Duration{}) [[unlikely]]
    works_again();
  if (opened->http2) co_return share(std::move(opened->bytes));
  auto connection = std::make_unique<codec::h1::ClientConnection>(
      settings_.loop, std::move(opened->bytes), settings_.http1);
  co_return alone ? pool_.add_alone(std::move(connection))
                  : pool_.add_separate(std::move(connection));
}

// Only pools whose connections are or may be shared have such ones, so none has a PROXY header.
loop::Task<Result<Endpoint::Opened>> Endpoint::open_alone(Deadline deadline, bool& alone) {
  Result<Opened> opened = co_await open(deadline, {}, http1_target_);
  if (opened || opened.error().reason != tls::reason::kNoSharedAlpn) co_return opened;
  pool_.share_upgrades();
  alone = false;
  co_return co_await open(deadline, {}, target_);
}

loop::Task<Result<Endpoint::Opened>> Endpoint::open(Deadline deadline, std::string_view preamble,
                                                    const tls::Target& target) {
  Result<std::unique_ptr<loop::Socket>> socket =
      co_await settings_.loop.connect(address_, deadline);
  if (!socket) co_return Failure(std::move(socket.error()));
  const std::string own = preamble.empty() ? own_preamble(settings_.service.proxy_protocol) : "";
  if (preamble.empty()) preamble = own;
  if (!preamble.empty()) {
    const std::array parts{iovec{const_cast<char*>(preamble.data()), preamble.size()}};
    Result<void> sent = co_await (*socket)->send(parts, deadline);
    if (!sent) co_return Failure(std::move(sent.error()));
  }
  if (speaks_tls_) co_return co_await open_tls(std::move(*socket), deadline, target);
  co_return Opened{std::move(*socket), settings_.service.protocol == Protocol::http2};
}

loop::Task<Result<Endpoint::Opened>> Endpoint::open_tls(std::unique_ptr<loop::Socket> socket,
                                                        Deadline deadline,
                                                        const tls::Target& target) {
  auto stream = tls::Stream::client(settings_.tls_core, std::move(socket), settings_.tls, target);
  Result<void> done;
  if (stream) {
    done = co_await (*stream)->handshake(deadline);
  } else {
    done = Result<void>(Failure(std::move(stream.error())));
  }
  if (!done) {
    const bool one_protocol = !target.only_protocol.empty();
    const bool refused = one_protocol && done.error().reason == tls::reason::kNoSharedAlpn;
    if (refused) co_return Failure(std::move(done.error()));  // there is another way
    co_return tls_failed(std::move(done.error()));
  }
  const bool http2 = (*stream)->facts().alpn == "h2";
  if (!http2 && settings_.service.protocol == Protocol::http2) {
    Error error{ErrorKind::protocol,
                Side::backend,
                Retry::yes,
                0,
                tls::reason::kNoSharedAlpn,
                "it did not choose HTTP/2 by ALPN"};
    co_return tls_failed(std::move(error));
  }
  (*stream)->watch_failure(*this);
  co_return Opened{std::move(*stream), http2};
}

Failure Endpoint::tls_failed(Error error) {
  tell_tls_failed(error);
  if (!error.reason.empty()) error.cause = fmt::format("{}: {}", error.reason, error.cause);
  error.reason = "backend_tls_failed";
  return Failure(std::move(error));
}

// After the handshake as Doorward sees it: one that refuses Doorward's certificate then has failed
// to connect in all but name.
void Endpoint::on_tls_failed(const Error& error) {
  tell_tls_failed(error);
  if (error.retry != Retry::yes) return;
  settings_.series.add(observe::Metric::service_connect_failures);
  refuses_late_ = true;
  fail_for_a_while();
}

// One line for each kind of failure: the log holds repetitions back.
void Endpoint::tell_tls_failed(const Error& error) {
  settings_.series.add_value(observe::Metric::service_tls_failures, tls::number_of(error.reason));
  settings_.events.warning("backend_tls_failed", {{"service", settings_.service.name},
                                                  {"endpoint", url_},
                                                  {"reason", error.reason},
                                                  {"detail", error.cause}});
}

std::unique_ptr<Connection> Endpoint::share(std::unique_ptr<loop::ByteStream> bytes) {
  auto opened = std::make_unique<codec::h2::ClientConnection>(
      settings_.loop, std::move(bytes), speaks_tls_ ? settings_.http2_over_tls : settings_.http2,
      pool_.owner());
  codec::h2::ClientConnection& connection = *opened;
  std::unique_ptr<Connection> stream = pool_.add_shared(std::move(opened));
  settings_.gate.spawn(serve(EndpointRef(this), connection));
  return stream;
}

loop::Task<void> Endpoint::serve(EndpointRef keep, codec::h2::ClientConnection& connection) {
  co_await connection.serve();
  if (const std::string_view why = connection.end_reason(); !why.empty()) {
    keep->settings_.series.add_value(observe::Metric::service_http2_broken,
                                     codec::h2::number_of_end_reason(why));
    const auto level = why == "reset" ? observe::Level::info : observe::Level::warning;
    keep->settings_.events.write(level, "backend_http2_broken",
                                 {{"service", keep->settings_.service.name},
                                  {"endpoint", keep->url_},
                                  {"reason", why},
                                  {"detail", connection.end_detail()}});
  }
  keep->pool_.forget(connection);
}

void Endpoint::fail_for_a_while() {
  const TimePoint now = settings_.loop.now();
  if (failing(now)) return;
  failing_for_ = std::clamp(failing_for_ * 2, kFailingFirst, kFailingMost);
  failing_until_ = now + failing_for_;
}

bool Endpoint::is_hasty(const Error& error, TimePoint begun, Deadline client) {
  const TimePoint now = settings_.loop.now();
  if (error.kind != ErrorKind::timeout || !client.passed(now)) return false;
  waited_in_vain_ += std::chrono::duration_cast<Duration>(now - begun);
  if (waited_in_vain_ < std::min(kFairWait, settings_.service.timeouts.connect)) return true;
  waited_in_vain_ = {};
  return false;
}

Failure Endpoint::failed(Error error, bool hasty) {
  if (is_shortage(error)) return short_of(std::move(error));
  error.side = Side::backend;
  error.retry = Retry::yes;
  const bool by_tls = error.reason == "backend_tls_failed";
  if (!by_tls)
    error.reason = error.kind == ErrorKind::timeout ? "connect_timeout" : "connect_failed";
  if (!hasty) {
    refuses_late_ = false;
    fail_for_a_while();
    if (!by_tls) tell_unreachable(error);
  }
  return Failure(std::move(error));
}

// The endpoint may well be sound, and another would do no better.
Failure Endpoint::short_of(Error error) {
  settings_.events.error("out_of_resources", {{"service", settings_.service.name},
                                              {"endpoint", url_},
                                              {"error", error.cause},
                                              {"hint", shortage_hint(error.code)}});
  error.side = Side::doorward;
  error.retry = Retry::no;
  error.reason = "out_of_resources";
  return Failure(std::move(error));
}

// Once, until it works again.
void Endpoint::tell_unreachable(const Error& error) {
  if (told_unreachable_) return;
  told_unreachable_ = true;
  settings_.events.warning("endpoint_unreachable", {{"service", settings_.service.name},
                                                    {"endpoint", url_},
                                                    {"reason", error.reason},
                                                    {"detail", error.cause},
                                                    {"hint", way_out(error)}});
}

// One that refuses Doorward's certificate only after the handshake completes each of them: there it
// takes a while without a refusal.
void Endpoint::works_again() {
  const bool proved = !refuses_late_ || settings_.loop.now() >= failing_until_ + kFailingMost;
  if (proved) {
    failing_until_ = {};
    failing_for_ = {};
    refuses_late_ = false;
  }
  if (!std::exchange(told_unreachable_, false)) return;
  settings_.events.info("endpoint_reachable",
                        {{"service", settings_.service.name}, {"endpoint", url_}});
}

}  // namespace doorward::upstream
