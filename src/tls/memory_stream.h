// MemoryStream: a pair of ByteStreams over memory, whose chunks, capacity and end a test decides.
// Each is owned by whoever holds it; either may go first. Only *_test.cc files include it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "loop/byte_stream.h"
#include "loop/loop.h"
#include "loop/timer.h"

namespace doorward::tls {

class MemoryStream final : public loop::ByteStream, loop::TimerTarget {
 public:
  static std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> pair(
      loop::Loop& loop) {
    auto one = std::make_unique<MemoryStream>(loop);
    auto other = std::make_unique<MemoryStream>(loop);
    one->peer_ = other.get();
    other->peer_ = one.get();
    return {std::move(one), std::move(other)};
  }

  explicit MemoryStream(loop::Loop& loop) : loop_(loop) {}
  ~MemoryStream() override {
    DOORWARD_CHECK(!receiver_ && !sender_);
    if (peer_ == nullptr) return;
    peer_->end_ = true;
    peer_->peer_ = nullptr;
    peer_->wake();
  }

  // What this end receives.
  std::size_t chunk_max = 1 << 20;
  std::size_t cut_at = 0;          // a chunk ends at this byte of all that is received
  std::size_t capacity = 1 << 20;  // bytes that may wait here
  bool shy = false;                // nothing is ever ready without a wait
  std::string inbox;
  // What this end sends.
  bool stuck = false;  // nothing goes out
  bool drop_fin = false;

  void end_of_peer() {  // as if the peer had sent FIN
    end_ = true;
    wake();
  }
  void put(std::string_view bytes) {  // as if the peer had sent them
    inbox += bytes;
    wake();
  }
  bool was_aborted() const { return aborted_; }

  bool recv_ready() override { return !shy && (!inbox.empty() || end_ || aborted_); }
  void cancel_recv() override {
    if (!receiver_) return;
    why_ = ErrorKind::cancelled;
    loop_.resume_later(std::exchange(receiver_, nullptr));
  }
  void cancel_send() override {
    if (sending_) end_send(ErrorKind::cancelled);
  }
  void try_send(std::string_view) override {}
  bool broken() const override { return aborted_; }
  void watch_peer(loop::PeerWatch* watch) override {
    watch_ = watch;
    wake();
  }
  void shutdown_send() override {
    if (peer_ != nullptr && !drop_fin) peer_->end_of_peer();
  }
  void abort() override {
    aborted_ = true;
    cancel_recv();
    cancel_send();
  }
  std::uint64_t acknowledged() const override { return sent_; }

 private:
  void recv_wait(std::coroutine_handle<> waiter, Deadline deadline) override {
    DOORWARD_CHECK(!receiver_);
    receiver_ = waiter;
    deadline_ = deadline;
    loop_.timers().arm(timer_, deadline_.earlier(send_deadline_));
    if (shy && (!inbox.empty() || end_)) wake();
  }
  Result<Chunk> recv_take() override {
    const ErrorKind why = std::exchange(why_, ErrorKind::closed);
    if (aborted_) return fail(ErrorKind::cancelled, "aborted");
    if (!inbox.empty()) return take();
    if (end_) return Chunk();
    return fail(why, "memory receive");
  }
  Chunk take() {
    std::size_t size = std::min(inbox.size(), chunk_max);
    if (cut_at > received_) size = std::min<std::size_t>(size, cut_at - received_);
    Chunk chunk = Chunk::copy_of(std::string_view(inbox).substr(0, size));
    inbox.erase(0, size);
    received_ += size;
    if (peer_ != nullptr) peer_->push();
    return chunk;
  }

  bool send_now(std::span<const iovec> parts) override {
    DOORWARD_CHECK(!sending_);
    failed_ = aborted_ || peer_ == nullptr;
    if (failed_) return true;
    for (const iovec& part : parts) unsent_.append(static_cast<char*>(part.iov_base), part.iov_len);
    sending_ = true;
    push();
    return !sending_;
  }
  void send_wait(std::coroutine_handle<> waiter, Deadline deadline) override {
    sender_ = waiter;
    send_deadline_ = deadline;
    loop_.timers().arm(timer_, deadline_.earlier(deadline));
  }
  Result<void> send_take() override {
    if (failed_) return fail(send_why_, "memory send");
    return {};
  }
  void push() {
    if (!sending_ || stuck || peer_ == nullptr) return;
    const std::size_t room = peer_->capacity - std::min(peer_->capacity, peer_->inbox.size());
    const std::size_t count = std::min(room, unsent_.size());
    peer_->inbox.append(unsent_, 0, count);
    unsent_.erase(0, count);
    sent_ += count;
    if (unsent_.empty()) {
      sending_ = false;
      send_deadline_ = Deadline::never();
      if (sender_) loop_.resume_later(std::exchange(sender_, nullptr));
    }
    if (count > 0) peer_->wake();
  }
  void end_send(ErrorKind why) {
    sending_ = false;
    failed_ = true;
    send_why_ = why;
    send_deadline_ = Deadline::never();
    if (sender_) loop_.resume_later(std::exchange(sender_, nullptr));
  }
  void wake() {
    if (receiver_) return loop_.resume_later(std::exchange(receiver_, nullptr));
    if (end_ && watch_ != nullptr) std::exchange(watch_, nullptr)->on_peer_end(ErrorKind::closed);
  }
  void on_timer(loop::Timer&) override {
    if (receiver_ && deadline_.passed(loop_.now())) {
      why_ = ErrorKind::timeout;
      loop_.resume_later(std::exchange(receiver_, nullptr));
    }
    if (sending_ && send_deadline_.passed(loop_.now())) end_send(ErrorKind::timeout);
    Deadline next = receiver_ ? deadline_ : Deadline::never();
    if (sending_) next = next.earlier(send_deadline_);
    if (!next.is_never()) loop_.timers().arm(timer_, next);
  }

  loop::Loop& loop_;
  MemoryStream* peer_ = nullptr;
  loop::PeerWatch* watch_ = nullptr;
  std::coroutine_handle<> receiver_;
  std::coroutine_handle<> sender_;
  Deadline deadline_;
  Deadline send_deadline_;
  loop::Timer timer_{*this};
  ErrorKind why_ = ErrorKind::closed;
  ErrorKind send_why_ = ErrorKind::reset;
  std::string unsent_;
  bool sending_ = false;
  bool failed_ = false;
  bool end_ = false;
  bool aborted_ = false;
};

}  // namespace doorward::tls
