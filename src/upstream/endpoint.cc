#include "upstream/endpoint.h"

#include <algorithm>
#include <fmt/format.h>

#include "loop/socket.h"

namespace doorward::upstream {
namespace {

constexpr Duration kFailingFor{1'000};
constexpr Duration kLeastTtl{1'000};
constexpr Duration kRetryResolving{1'000};

}  // namespace

Endpoint::Endpoint(loop::Loop& loop, loop::Resolver& resolver, const EndpointConfig& config,
                   const ServiceConfig& service, const codec::h1::ClientSettings& settings)
    : loop_(loop),
      resolver_(resolver),
      config_(config),
      settings_(settings),
      connect_timeout_(service.timeouts.connect),
      authority_(config.authority()),
      pool_(loop, service.pool) {}

loop::Task<Result<std::unique_ptr<Connection>>> Endpoint::connect(Deadline deadline) {
  if (!pool_.has_room()) {
    co_return Failure(Error{ErrorKind::unavailable, Side::doorward, Retry::yes, 0, "pool_exhausted",
                            fmt::format("all connections to {} are in use", config_.url)});
  }
  const Deadline by = Deadline::after(loop_.now(), connect_timeout_).earlier(deadline);
  pool_.opened();
  Result<loop::Address> to = co_await address(by);
  if (!to) {
    pool_.closed();
    co_return failed(std::move(to.error()), "name_unresolved");
  }
  Result<std::unique_ptr<loop::Socket>> socket = co_await loop_.connect(*to, by);
  if (!socket) {
    pool_.closed();
    co_return failed(std::move(socket.error()), "connect_failed");
  }
  failing_until_ = {};
  co_return std::make_unique<Connection>(loop_, std::move(*socket), settings_);
}

Failure Endpoint::failed(Error error, std::string_view what) {
  failing_until_ = loop_.now() + kFailingFor;
  next_address_++;
  error.side = Side::backend;
  error.retry = Retry::yes;
  error.reason = error.kind == ErrorKind::timeout ? "connect_timeout" : what;
  return Failure(std::move(error));
}

// The next address of the endpoint; names are resolved when first needed, and again in the
// background when their TTL is over (the old addresses serve until then).
loop::Task<Result<loop::Address>> Endpoint::address(Deadline deadline) {
  if (addresses_.empty()) {
    if (Result<void> resolved = co_await resolve(deadline); !resolved) {
      co_return Failure(std::move(resolved.error()));
    }
  } else if (loop_.now() >= addresses_until_ && !refreshing_) {
    refreshing_ = true;
    gate_.spawn(refresh());
  }
  co_return addresses_[next_address_++ % addresses_.size()];
}

loop::Task<Result<void>> Endpoint::resolve(Deadline deadline) {
  if (!config_.unix_path.empty()) {
    Result<loop::Address> parsed = loop::Address::parse("unix:" + config_.unix_path);
    if (!parsed) co_return Failure(std::move(parsed.error()));
    addresses_ = {*parsed};
    addresses_until_ = TimePoint::max();
    co_return Result<void>();
  }
  Result<loop::Resolved> resolved =
      co_await resolver_.resolve(config_.host, config_.port, deadline);
  if (!resolved) co_return Failure(std::move(resolved.error()));
  addresses_ = std::move(resolved->addresses);
  const Duration ttl = std::max(resolved->ttl, kLeastTtl);
  addresses_until_ = ttl == Duration::max() ? TimePoint::max() : loop_.now() + ttl;
  co_return Result<void>();
}

loop::Task<void> Endpoint::refresh() {
  Result<void> resolved = co_await resolve(Deadline::after(loop_.now(), Duration(10'000)));
  if (!resolved) addresses_until_ = loop_.now() + kRetryResolving;
  refreshing_ = false;
}

loop::Task<void> Endpoint::close() {
  pool_.close_idle();
  co_await gate_.close();
}

}  // namespace doorward::upstream
