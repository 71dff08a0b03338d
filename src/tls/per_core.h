// PerCore: what all TLS streams of a core share: pooled buffers, the Gate of their coroutines, and
// the turns of handshakes. Owner: the core, which closes it before its loop goes. It outlives the
// Chunks that its streams have handed out.
//
// Subtle: a handshake's step costs up to a millisecond of the processor (a signature). When many
// connections come at once they would hold the loop together for that time each, so only one
// such step runs in a turn of the loop; the others wait in line.
#pragma once

#include <coroutine>
#include <deque>
#include <memory>

#include "base/chunk.h"
#include "loop/loop.h"
#include "loop/pooled_buffers.h"
#include "loop/send_parts.h"

namespace doorward::tls {

// RFC 8446 §5.1: the plaintext of a record is 2^14 bytes at most. What a record adds to it is less
// than this in TLS 1.2 and 1.3 (header, nonce, tag; MAC and padding).
inline constexpr std::uint32_t kRecordMax = 16 * 1024;
inline constexpr std::uint32_t kRecordOverhead = 128;

// Memory to fill, which then becomes a Chunk.
struct Room {
  Chunk memory;
  char* data = nullptr;
  std::uint32_t capacity = 0;
  std::uint32_t size = 0;  // filled

  explicit operator bool() const { return data != nullptr; }
  std::uint32_t left() const { return capacity - size; }
  std::string_view filled() const { return {data, size}; }
};

// Resumes in the loop's next turn.
struct NextTurn {
  loop::Loop& loop;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const { loop.resume_later(waiter); }
  void await_resume() const noexcept {}
};

// One at a time, one in a turn of the loop, in order of asking.
class HandshakeTurns {
 public:
  HandshakeTurns(loop::Loop& loop, loop::Gate& gate) : loop_(loop), gate_(gate) {}

  auto next() {
    struct Awaiter {
      HandshakeTurns& turns;
      bool await_ready() const { return turns.take(); }
      void await_suspend(std::coroutine_handle<> waiter) const { turns.waiting_.push_back(waiter); }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

 private:
  bool take();
  loop::Task<void> serve();

  loop::Loop& loop_;
  loop::Gate& gate_;
  std::deque<std::coroutine_handle<>> waiting_;
  bool taken_ = false;  // in this turn
};

class PerCore {
 public:
  // `buffer_count_max` is the limit of each pool; beyond it buffers come from the heap.
  explicit PerCore(loop::Loop& loop, std::uint32_t buffer_count_max = 4096);

  loop::Loop& loop() { return loop_; }
  loop::Gate& gate() { return gate_; }
  HandshakeTurns& turns() { return turns_; }
  loop::SendPartsPool& send_parts() { return send_parts_; }

  Room plain_room() { return room_of(plain_); }    // a record's plaintext
  Room record_room() { return room_of(record_); }  // one record
  Room bulk_room() { return room_of(bulk_); }      // four
  // A record's plaintext that lies in several parts is gathered here.
  char* scratch() { return scratch_.get(); }

  // After so many records a stream takes a new key; tests want fewer.
  std::uint64_t records_per_key() const { return records_per_key_; }
  void set_records_per_key(std::uint64_t count) { records_per_key_ = count; }

  // Waits until the last coroutine of all streams has ended; they must have been destroyed.
  auto close() { return gate_.close(); }

 private:
  static Room room_of(loop::PooledBuffers& pool);

  loop::Loop& loop_;
  loop::Gate gate_;
  HandshakeTurns turns_{loop_, gate_};
  loop::PooledBuffers plain_;
  loop::PooledBuffers record_;
  loop::PooledBuffers bulk_;
  loop::SendPartsPool send_parts_;
  std::uint64_t records_per_key_ = std::uint64_t{1} << 23;
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(kRecordMax);
};

}  // namespace doorward::tls
