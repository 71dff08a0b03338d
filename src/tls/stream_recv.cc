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
  receive_failed(ssl_error(ssl_.get(), peer_));
  if (wire_.has_output()) flush();  // the alert
  return true;
}

bool Stream::receive_failed(Error error) {
  end_ = End::failed;
  receive_error_ = std::make_unique<Error>(std::move(error));
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
