// Stream's receiving: one record becomes one Chunk of the core's pool.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "tls/errors.h"
#include "tls/reasons.h"
#include "tls/stream.h"

namespace doorward::tls {
namespace {

// In a row: empty ones, tickets, KeyUpdates. Each costs the processor and brings nothing.
constexpr int kEmptyRecordsMax = 32;

// RFC 8446 §6.2: by these a server says what it thinks of a client's certificate.
constexpr bool is_about_certificate(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Stream::recv_ready() {
  if (has_received()) return true;
  if (reading_ || !usable_) return false;
  return decrypt();
}

// One record, if it is there. True when there is something to hand out.
bool Stream::decrypt() {
  for (int records = 0; wire_.has_input();) {
    Room room = core_.plain_room();
    std::size_t size = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), room.data, room.capacity, &size);
    if (result == 1) {
      plain_ = room.memory.part({room.data, size});
      received_ += size;
      break;
    }
    const int why = SSL_get_error(ssl_.get(), result);
    if (why == SSL_ERROR_ZERO_RETURN) {
      end_ = End::finished;
      break;
    }
    if (why != SSL_ERROR_WANT_READ) return decrypt_failed();
    if (++records > kEmptyRecordsMax) {
      return receive_failed(peer_error(ErrorKind::limit, peer_, reason::kTooManyEmptyRecords));
    }
    if (wire_.starved()) break;
  }
  if (wire_.has_output()) flush();  // a KeyUpdate's answer, a refused renegotiation
  return has_received();
}

bool Stream::decrypt_failed() {
  usable_ = false;
  if (wire_.broken()) return receive_failed(Error(*wire_.broken()));
  Error error = ssl_error(ssl_.get(), peer_);
  if (refuses_us(error)) error.retry = Retry::yes;
  receive_failed(std::move(error));
  if (wire_.has_output()) flush();  // the alert
  return true;
}

// In TLS 1.3 a server judges the client's certificate when the client's handshake is over already
// (RFC 8446 §4.4.2.4). Its own never ended, so nothing of what was sent to it was looked at.
bool Stream::refuses_us(const Error& error) const {
  return peer_ == Side::backend && received_ == 0 && error.reason == reason::kPeerAlert &&
         is_about_certificate(error.code) && SSL_version(ssl_.get()) == TLS1_3_VERSION;
}

bool Stream::receive_failed(Error error) {
  end_ = End::failed;
  receive_error_ = std::make_unique<Error>(std::move(error));
  const ErrorKind kind = receive_error_->kind;
  const bool broke_tls = kind == ErrorKind::protocol || kind == ErrorKind::limit;
  if (broke_tls && failure_watch_ != nullptr) failure_watch_->on_tls_failed(*receive_error_);
  return true;
}

void Stream::recv_wait(std::coroutine_handle<> waiter, Deadline deadline) {
  DOORWARD_CHECK(!receiver_);
  receiver_ = waiter;
  recv_deadline_ = deadline;
  core_.loop().timers().arm(timer_, deadline);
  in_recv_wait_ = true;
  start_reading();
  in_recv_wait_ = false;
}

Result<Chunk> Stream::recv_take() {
  const Stop stop = std::exchange(stop_, Stop::none);
  if (!plain_.empty()) return std::exchange(plain_, Chunk());
  if (end_ == End::finished) return Chunk();
  if (end_ == End::failed) return Failure(*receive_error_);
  return stopped(stop == Stop::timeout ? ErrorKind::timeout : ErrorKind::cancelled, "receive");
}

void Stream::start_reading() {
  if (reading_) return;
  reading_ = true;
  core_.gate().spawn(read_on());
}

loop::Task<void> Stream::read_on() {
  const Working working(*this);
  wire_.may_pull(false);
  // A watch may begin while the last chunk still holds records: they come before what is received.
  while (!released_ && !has_received() && !decrypt()) {
    Result<Chunk> received = co_await transport_->recv(Deadline::never());
    if (!released_) wire_.feed(std::move(received));
  }
  wire_.may_pull(true);
  reading_ = false;
  if (!released_) wake_receiver();
}

// Resuming may destroy the stream: the last thing that the reader does.
void Stream::wake_receiver() {
  if (!receiver_) return tell_watch();
  const std::coroutine_handle<> receiver = std::exchange(receiver_, nullptr);
  core_.loop().timers().disarm(timer_);
  if (in_recv_wait_) return core_.loop().resume_later(receiver);
  receiver.resume();
}

void Stream::on_timer(loop::Timer&) {
  if (!receiver_) return;
  if (recv_deadline_.passed(core_.loop().now())) {
    stop_ = Stop::timeout;
    core_.loop().resume_later(std::exchange(receiver_, nullptr));
  } else {
    core_.loop().timers().arm(timer_, recv_deadline_);
  }
}

}  // namespace doorward::tls
