// A pair of ByteStreams in memory, for tests: what one end sends the other receives, in pieces of
// any size, with a limit on what is under way. Only *_test.cc and *_fuzz.cc files include it.
#pragma once

#include <algorithm>
#include <string>

#include "codec/h2/wait.h"
#include "loop/byte_stream.h"
#include "loop/loop.h"

namespace doorward::codec::h2 {

class WireEnd final : public loop::ByteStream {
 public:
  explicit WireEnd(loop::Loop& loop) : receiving_(loop), sending_(loop) {}
  void connect(WireEnd& other) {
    other_ = &other;
    other.other_ = this;
  }

  std::size_t piece = SIZE_MAX;  // received at once, at most
  std::size_t room = SIZE_MAX;   // bytes that may wait to be received here
  std::size_t sends = 0;         // from here
  bool aborted = false;
  bool finished = false;  // FIN was sent from here

  // Lets go on what waited for room.
  void widen() {
    room = SIZE_MAX;
    other_->push();
  }
  std::size_t waiting() const { return inbox_.size(); }

  bool recv_ready() override { return !inbox_.empty() || other_->finished || broken(); }
  void cancel_recv() override { receiving_.wake(Woken::cancelled); }
  void cancel_send() override { sending_.wake(Woken::cancelled); }
  void try_send(std::string_view) override {}
  bool broken() const override { return aborted || other_->aborted; }
  void watch_peer(loop::PeerWatch*) override {}
  void shutdown_send() override {
    finished = true;
    other_->receiving_.wake();
  }
  void abort() override {
    aborted = true;
    for (WireEnd* end : {this, other_}) {
      end->receiving_.wake(Woken::cancelled);
      end->sending_.wake(Woken::cancelled);
    }
  }
  // Once it is received.
  std::uint64_t acknowledged() const override { return sent_ - other_->inbox_.size(); }
  // As if so much had gone out before, of which nobody above knows (a handshake of TLS).
  void begin_at(std::uint64_t sent) { sent_ = sent; }

 protected:
  void recv_wait(std::coroutine_handle<> waiter, Deadline deadline) override {
    receiving_.begin(waiter, deadline);
  }
  Result<Chunk> recv_take() override {
    if (broken()) return fail(aborted ? ErrorKind::cancelled : ErrorKind::reset, "aborted");
    if (!inbox_.empty()) {
      const std::size_t size = std::min(piece, inbox_.size());
      Chunk chunk = Chunk::copy_of(std::string_view(inbox_).substr(0, size));
      inbox_.erase(0, size);
      received_ += size;
      other_->push();
      return chunk;
    }
    if (other_->finished) return Chunk();
    const bool late = receiving_.how() == Woken::timeout;
    return fail(late ? ErrorKind::timeout : ErrorKind::cancelled, "nothing came");
  }
  bool send_now(std::span<const iovec> parts) override {
    parts_.assign(parts.begin(), parts.end());
    ++sends;
    push();
    return parts_.empty() || broken();
  }
  void send_wait(std::coroutine_handle<> waiter, Deadline deadline) override {
    sending_.begin(waiter, deadline);
  }
  Result<void> send_take() override {
    if (parts_.empty()) return {};
    parts_.clear();
    return fail(broken() ? ErrorKind::reset : ErrorKind::cancelled, "not sent");
  }

 private:
  // Moves what the other end has room for; the bytes themselves are read only now.
  void push() {
    while (!parts_.empty()) {
      const std::size_t free = other_->room - std::min(other_->room, other_->inbox_.size());
      const std::size_t size = std::min(free, parts_.front().iov_len);
      other_->inbox_.append(static_cast<const char*>(parts_.front().iov_base), size);
      sent_ += size;
      if (size > 0) other_->receiving_.wake();
      if (size < parts_.front().iov_len) {
        parts_.front().iov_base = static_cast<char*>(parts_.front().iov_base) + size;
        parts_.front().iov_len -= size;
        return;
      }
      parts_.erase(parts_.begin());
    }
    sending_.wake();
  }

  WireEnd* other_ = nullptr;
  std::string inbox_;
  std::vector<iovec> parts_;
  Wait receiving_;
  Wait sending_;
};

struct Wire {
  explicit Wire(loop::Loop& loop) : ours(loop), theirs(loop) { ours.connect(theirs); }
  WireEnd ours, theirs;
};

}  // namespace doorward::codec::h2
