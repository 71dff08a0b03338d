#include "upstream/endpoint.h"

#include <algorithm>

#include "loop/socket.h"

namespace doorward::upstream {
namespace {

constexpr Duration kFailingFirst{1'000};
constexpr Duration kFailingMost{8'000};

}  // namespace

Endpoint::Endpoint(loop::Loop& loop, Queue& queue, const EndpointConfig& config,
                   const loop::Address& address, std::uint32_t number, const ServiceConfig& service,
                   const codec::h1::ClientSettings& settings)
    : loop_(loop),
      address_(address),
      number_(number),
      settings_(settings),
      connect_timeout_(service.timeouts.connect),
      url_(address.is_unix() ? config.url : "http://" + address.text()),
      authority_(config.authority()),
      pool_(loop, service.pool, queue) {}

loop::Task<Result<std::unique_ptr<Connection>>> Endpoint::connect(Deadline deadline) {
  const Deadline by = Deadline::after(loop_.now(), connect_timeout_).earlier(deadline);
  Result<std::unique_ptr<loop::Socket>> socket = co_await loop_.connect(address_, by);
  if (!socket) {
    Failure failure = failed(std::move(socket.error()));
    pool_.closed();  // not before it counts as failing
    co_return failure;
  }
  failing_until_ = {};
  failing_for_ = {};
  co_return std::make_unique<Connection>(loop_, std::move(*socket), settings_);
}

Failure Endpoint::failed(Error error) {
  if (!failing(loop_.now())) {
    failing_for_ = std::clamp(failing_for_ * 2, kFailingFirst, kFailingMost);
    failing_until_ = loop_.now() + failing_for_;
  }
  error.side = Side::backend;
  error.retry = Retry::yes;
  error.reason = error.kind == ErrorKind::timeout ? "connect_timeout" : "connect_failed";
  return Failure(std::move(error));
}

}  // namespace doorward::upstream
