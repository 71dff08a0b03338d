// Stream's sending. A send is encrypted in flights of at most four records: that bounds how long it
// holds the loop, and what of it lies encrypted in memory.
#include <algorithm>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/check.h"
#include "tls/errors.h"
#include "tls/stream.h"

namespace doorward::tls {
namespace {

// For what goes out while nobody sends (alerts, KeyUpdates, close_notify): how long may it take?
constexpr Duration kLastWordsTimeout{5000};

}  // namespace

bool Stream::send_now(std::span<const iovec> parts) {
  DOORWARD_CHECK(parts_ == nullptr && !direct_ && !sender_);
  if (end_ == End::failed && send_error_ == nullptr) send_failed(Error(*receive_error_));
  if (send_error_ != nullptr) return true;
  parts_ = core_.send_parts().take();
  parts_->assign(parts);
  if (parts_->bytes() == 0) return true;
  if (writing_) return false;  // the writer goes on with it
  if (!encrypt()) return true;
  if (!wire_.take_off(stall_)) return false;
  const Result<void> landed = wire_.land();
  if (!landed) send_failed(Error(landed.error()));
  return send_error_ != nullptr || !has_unsent();
}

void Stream::send_wait(std::coroutine_handle<> waiter, Deadline deadline) {
  if (wire_.flying() && !writing_ && !has_unsent()) {
    direct_ = true;
    return wire_.wait(waiter, deadline);
  }
  sender_ = waiter;
  send_deadline_ = deadline;
  if (!writing_) core_.gate().spawn(write_on());
}

Result<void> Stream::send_take() {
  if (std::exchange(direct_, false)) {
    const Result<void> landed = wire_.land();
    if (!landed && send_error_ == nullptr) send_failed(Error(landed.error()));
  }
  sent_ = transport_->sent();
  if (parts_ != nullptr) core_.send_parts().give(std::move(parts_));
  if (send_error_ != nullptr) return Failure(*send_error_);
  if (wire_.has_output() || fin_wanted_) flush();
  return {};
}

// Encrypts the next flight; false when SSL fails.
bool Stream::encrypt() {
  while (has_unsent()) {
    const std::size_t most = wire_.make_room(parts_->bytes());
    if (most == 0) break;
    const std::string_view plain = next_plain(most);
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written);
    if (result != 1) {
      send_failed(ssl_error(ssl_.get(), peer_));
      return false;
    }
    parts_->consume(written);
    if (++records_ % core_.records_per_key() == 0) renew_key();
  }
  return true;
}

// RFC 8446 §5.5: a key of AES-GCM is good for 2^24.5 records. The KeyUpdate goes before the next
// record; TLS 1.2 has none.
void Stream::renew_key() {
  if (SSL_version(ssl_.get()) != TLS1_3_VERSION) return;
  SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
}

// A record's bytes: from where they lie if they lie together, else gathered.
std::string_view Stream::next_plain(std::size_t most) {
  const iovec& front = parts_->front();
  if (front.iov_len >= most || parts_->count() == 1) {
    return {static_cast<const char*>(front.iov_base), std::min(most, front.iov_len)};
  }
  std::size_t size = 0;
  for (const iovec& part : parts_->rest()) {
    const std::size_t count = std::min(most - size, part.iov_len);
    std::memcpy(core_.scratch() + size, part.iov_base, count);
    size += count;
    if (size == most) break;
  }
  return {core_.scratch(), size};
}

void Stream::send_failed(Error error) { send_error_ = std::make_unique<Error>(std::move(error)); }

void Stream::try_send(std::string_view bytes) {
  if (!usable_ || writing_ || parts_ != nullptr || send_error_ != nullptr || bytes.empty()) return;
  const std::size_t most = wire_.make_room(bytes.size());
  std::size_t written = 0;
  if (most < bytes.size()) return;
  ERR_clear_error();
  if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) == 1) flush();
}

void Stream::shutdown_send() {
  if (fin_wanted_) return;
  fin_wanted_ = true;
  if (parts_ == nullptr) flush();
}

// RFC 8446 §6.1.
void Stream::write_close_notify() {
  close_notify_written_ = true;
  ERR_clear_error();
  if (usable_ && send_error_ == nullptr) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

// Sends what was written aside of sends: at once if the transport takes it, else by the writer.
// Does nothing while a send is under way: what that has left over goes out after it.
void Stream::flush() {
  if (writing_ || parts_ != nullptr || wire_.flying()) return;
  if (fin_wanted_ && !close_notify_written_) write_close_notify();
  if (wire_.has_output() && send_error_ == nullptr) {
    if (!wire_.take_off({})) return core_.gate().spawn(write_on());
    if (const Result<void> landed = wire_.land(); !landed) send_failed(Error(landed.error()));
    sent_ = transport_->sent();
  }
  end_writing();
}

void Stream::end_writing() {
  const bool last_is_written = close_notify_written_ || send_error_ != nullptr;
  if (!fin_wanted_ || !last_is_written || std::exchange(fin_sent_, true)) return;
  transport_->shutdown_send();
}

loop::Task<void> Stream::write_on() {
  const Working working(*this);
  writing_ = true;
  while (send_error_ == nullptr) {
    if (wire_.flying()) {
      const Deadline last = Deadline::after(core_.loop().now(), kLastWordsTimeout);
      const Result<void> landed = co_await wire_.landed(sender_ ? send_deadline_ : last);
      if (!landed && send_error_ == nullptr) send_failed(Error(landed.error()));
    }
    sent_ = transport_->sent();
    if (send_error_ != nullptr || !encrypt()) break;
    if (!has_unsent() && !wire_.has_output() && fin_wanted_ && !close_notify_written_) {
      write_close_notify();
    }
    if (!wire_.has_output()) break;
    if (!wire_.take_off(sender_ ? stall_ : loop::StallLimit())) continue;
    if (const Result<void> landed = wire_.land(); !landed) send_failed(Error(landed.error()));
    co_await NextTurn{core_.loop()};
  }
  writing_ = false;
  end_writing();
  if (sender_) core_.loop().resume_later(std::exchange(sender_, nullptr));
}

}  // namespace doorward::tls
