// UringLoop: the Loop over io_uring. One ring per core (single issuer, deferred task run), entered
// once a turn; multishot accept and recv into provided buffers.
//
// A completion carries the address of what waits for it in user_data, its role in the low bits:
// whatever is addressed stays in memory until its last completion has come (Completion's and
// UringSocket's rule), so no completion is ever late for its owner.
#pragma once

#include <array>
#include <deque>
#include <liburing.h>

#include "loop/loop.h"
#include "loop/send_parts.h"
#include "loop/uring_buffers.h"

namespace doorward::loop {

class UringSocket;
class UringOperation;

// Fails with a sentence that says what the system lacks.
Result<std::unique_ptr<Loop>> create_uring_loop(const LoopOptions& options);

// What a completion is for.
enum class UringRole : std::uint64_t { completion = 0, recv = 1, recv_bulk = 2, send = 3 };

// Whatever waits for completions of a kind of its own; at least until the last one.
class Completion {
 public:
  virtual void complete(int result, unsigned flags) = 0;

 protected:
  ~Completion() = default;
};

class UringLoop final : public Loop {
 public:
  explicit UringLoop(const LoopOptions& options);
  ~UringLoop() override;
  Result<void> set_up();  // once, before anything else

  std::string_view name() const override { return "io_uring"; }
  Task<Result<std::unique_ptr<Socket>>> connect(Address to, Deadline deadline) override;
  std::unique_ptr<Socket> adopt(int fd) override;
  std::unique_ptr<Acceptor> accept(int listening_fd, OnAccept on_accept) override;
  Task<Result<void>> readable(int fd, Deadline deadline) override;
  Task<Result<void>> writable(int fd, Deadline deadline) override;
  void cancel_waits(int fd) override;

  // A cleared submission entry for an operation whose completions go to `target` in `role`.
  io_uring_sqe& begin(std::uint8_t opcode, int fd, const void* target, UringRole role);
  // An entry whose success nobody wants to know of.
  io_uring_sqe& begin_unanswered(std::uint8_t opcode, int fd);
  // Cancels the operation that was begun with these; its completion still comes.
  void cancel(const void* target, UringRole role);
  void close_later(int fd);

  ProvidedBuffers& buffers() { return buffers_; }
  ProvidedBuffers& bulk_buffers() { return bulk_buffers_; }
  SendPartsPool& send_parts() { return send_parts_; }

  // `socket` found no buffer: it is told (receive_again) when there is one, in order of waiting.
  void wait_for_buffer(UringSocket& socket) { starving_.push_back(&socket); }
  void forget_waiting(UringSocket& socket) { std::erase(starving_, &socket); }
  void count_exhausted() { ++counters_.buffers_exhausted; }

  // Objects whose owner is gone and that wait for their last completion; the Loop outlives them.
  void leaving_began() { ++leaving_; }
  void leaving_ended() { --leaving_; }

  std::vector<UringOperation*>& waits() { return waits_; }

 private:
  struct Arrived {
    std::uint64_t user_data;
    int result;
    unsigned flags;
  };
  // Told by the eventfd that mail has come.
  class Wake final : public Completion {
   public:
    explicit Wake(UringLoop& loop) : loop_(loop) {}
    void arm();
    void complete(int result, unsigned flags) override;

   private:
    UringLoop& loop_;
    std::uint64_t count_ = 0;
  };

  // Wakes the loop when timers are due. It stays with the kernel from turn to turn, since a
  // timeout of each turn's own costs more than the turn's work.
  class Alarm final : public Completion {
   public:
    explicit Alarm(UringLoop& loop) : loop_(loop) {}
    void set(TimePoint at);  // no later than `at`; an earlier one that is set already stays
    void complete(int result, unsigned flags) override;

   private:
    UringLoop& loop_;
    TimePoint at_ = TimePoint::max();  // max: not set
    __kernel_timespec time_{};
  };

  void poll(TimePoint until) override;
  void enter(TimePoint until);
  void run_completions();
  static void* target_of(const Arrived& arrived);
  static void run(const Arrived& arrived, UringLoop& loop);
  void feed_starving();
  Result<void> check_multishot();
  io_uring_sqe& next_entry();
  Task<Result<void>> wait_for(int fd, short events, Deadline deadline);

  static constexpr unsigned kEntries = 1024;
  static constexpr unsigned kCompletionEntries = 8192;
  static constexpr unsigned kCompletionsPerTurn = 512;
  static constexpr unsigned kFetchAhead = 2;  // completions, whose sockets come into the cache

  io_uring ring_{};
  bool has_ring_ = false;
  ProvidedBuffers buffers_;
  ProvidedBuffers bulk_buffers_;
  SendPartsPool send_parts_;
  std::deque<UringSocket*> starving_;
  std::vector<UringOperation*> waits_;
  std::uint32_t leaving_ = 0;
  Wake wake_{*this};
  Alarm alarm_{*this};
  std::array<Arrived, kCompletionsPerTurn> arrived_;
};

}  // namespace doorward::loop
