// Stream's handshake, in either role: RFC 8446 §2 and RFC 5246 §7.3 as OpenSSL does them.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/errors.h"
#include "tls/reasons.h"
#include "tls/stream.h"

namespace doorward::tls {
namespace {

// How long a fatal alert may take to go out.
constexpr Duration kAlertTimeout{1000};

}  // namespace

loop::Task<Result<void>> Stream::handshake(Deadline deadline) {
  shaking_ = true;
  Result<void> result = co_await shake(deadline);
  if (!result) {  // tells the peer why, in an alert
    const auto told = co_await send_flight(Deadline::after(core_.loop().now(), kAlertTimeout));
    if (!told) send_failed(Error(result.error()));
  }
  sent_ = transport_->sent();
  shaking_ = false;
  stop_ = Stop::none;
  if (!result) {
    end_ = End::failed;
    receive_error_ = std::make_unique<Error>(result.error());
    if (send_error_ == nullptr) send_failed(Error(result.error()));
  }
  co_return result;
}

loop::Task<Result<void>> Stream::shake(Deadline deadline) {
  Step next = peer_ == Side::client ? Step::receive : Step::send;  // who begins
  wire_.may_pull(false);  // until the first bytes have been judged
  for (bool first = true; next != Step::done;) {
    if (next == Step::receive && !wire_.has_input()) {
      wire_.feed(co_await transport_->recv(deadline));
    }
    if (next == Step::receive && std::exchange(first, false)) {
      wire_.may_pull(true);
      if (auto error = judge_first_bytes()) co_return Failure(handshake_error(std::move(*error)));
    }
    co_await core_.turns().next();
    if (stop_ == Stop::cancelled) co_return stopped(ErrorKind::cancelled, "handshake");
    next = step();
    if (next == Step::failed) co_return Failure(handshake_error(why_failed()));
    auto flown = co_await send_flight(deadline);
    if (!flown) co_return Failure(handshake_error(std::move(flown.error())));
  }
  if (auto error = accept_peer()) co_return Failure(handshake_error(std::move(*error)));
  usable_ = true;
  co_return Result<void>();
}

loop::Task<Result<void>> Stream::send_flight(Deadline deadline) {
  if (!wire_.has_output()) co_return Result<void>();
  if (wire_.take_off({})) co_return wire_.land();
  co_return co_await wire_.landed(deadline);
}

Error Stream::why_failed() {
  return wire_.broken() ? *wire_.broken() : ssl_error(ssl_.get(), peer_);
}

Stream::Step Stream::step() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return Step::done;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step::receive;
    case SSL_ERROR_WANT_WRITE:
      return Step::send;
    default:
      return Step::failed;
  }
}

// RFC 8446 §5.1: a record begins with its type, 20 to 24. A letter there begins an HTTP method, or
// a backend's "HTTP/1.1 400".
std::optional<Error> Stream::judge_first_bytes() const {
  const std::string_view bytes = wire_.unread();
  if (bytes.empty() || bytes[0] < 'A' || bytes[0] > 'Z') return {};
  return peer_error(ErrorKind::protocol, peer_, reason::kPlainHttp);
}

std::optional<Error> Stream::accept_peer() {
  auto facts = read_facts(ssl_.get(), core_.loop().wall_now());
  if (!facts) return peer_error(ErrorKind::protocol, peer_, facts.error());
  facts_ = std::make_unique<HandshakeFacts>(std::move(*facts));
  return {};
}

// What is told of a failed handshake: the work never began, so it may be tried elsewhere.
Error Stream::handshake_error(Error error) const {
  if (error.kind == ErrorKind::timeout) {
    error = peer_error(ErrorKind::timeout, peer_, reason::kTimeout);
  } else if (error.reason == reason::kTruncated) {
    error = peer_error(ErrorKind::closed, peer_, reason::kClosedInHandshake);
  } else if (error.reason.empty() && error.kind == ErrorKind::reset) {
    error = peer_error(ErrorKind::reset, peer_, reason::kClosedInHandshake, error.cause);
  }
  if (peer_ == Side::backend) error.retry = Retry::yes;
  return error;
}

}  // namespace doorward::tls
