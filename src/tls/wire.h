// Wire: the ciphertext side of a Stream: what its SSL reads and writes, through a BIO of our own.
// Owner: the Stream.
//
// Reading takes straight from the transport's Chunk. Writing appends to a pooled buffer, which then
// flies with one send of the transport while the next one may be filled already: so records go
// out in the order in which they were made, whoever made them (a send, an alert or a KeyUpdate
// while reading), and no two sends ever run at once.
#pragma once

#include <optional>

#include "loop/byte_stream.h"
#include "tls/openssl.h"
#include "tls/per_core.h"

namespace doorward::tls {

class Wire {
 public:
  Wire(PerCore& core, loop::ByteStream& transport) : core_(core), transport_(transport) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // A BIO over this, for SSL_set_bio; it must not outlive the Wire.
  BIO* make_bio();

  // Received bytes (empty: FIN) or why there are none.
  void feed(Result<Chunk> received);
  // May the transport be asked, if that needs no waiting? Not while somebody waits in its recv.
  void may_pull(bool allowed) { may_pull_ = allowed; }
  // Are there bytes or an end for SSL? Pulls.
  bool has_input();
  // Did SSL's last read find nothing?
  bool starved() const { return starved_; }
  bool finished() const { return finished_; }
  // The transport's own error, when that was what ended receiving.
  const std::optional<Error>& broken() const { return broken_; }
  std::string_view unread() const { return input_.view(); }

  bool has_output() const { return static_cast<bool>(filling_) && filling_.size > 0; }
  // How many bytes of plaintext SSL may write next; 0: fly first. Larger room if `wanted` is large.
  std::size_t make_room(std::size_t wanted);

  // Sends what was written. True when that is done already; then (or when the waiter was
  // resumed) land() tells how it went. Nothing may fly already.
  bool take_off(loop::StallLimit limit);
  bool flying() const { return flight_.has_value(); }
  // Hands the waiter of a flight to the transport.
  void wait(std::coroutine_handle<> waiter, Deadline deadline);
  Result<void> land();

  // The same, awaited.
  auto landed(Deadline deadline) {
    struct Awaiter {
      Wire& wire;
      Deadline deadline;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiter) const { wire.wait(waiter, deadline); }
      Result<void> await_resume() const { return wire.land(); }
    };
    return Awaiter{*this, deadline};
  }

  // For the BIO: bytes read or written, 0 for the end, -1 for "later".
  int read(char* to, int size);
  int write(const char* from, int size);

 private:
  using Flight = decltype(std::declval<loop::ByteStream&>().send({}, Deadline()));

  PerCore& core_;
  loop::ByteStream& transport_;
  Chunk input_;
  std::optional<Error> broken_;
  bool finished_ = false;
  bool may_pull_ = true;
  bool starved_ = false;
  Room filling_;
  Room flying_;
  iovec part_{};
  std::optional<Flight> flight_;
};

}  // namespace doorward::tls
