// EpollLoop: the Loop over edge-triggered epoll, for systems that refuse io_uring.
//
// An event carries the address of its EpollTarget. Events of a turn are fetched together, so a
// target that leaves while they are handled is only marked, and freed at the end of the turn.
#pragma once

#include <array>
#include <deque>
#include <sys/epoll.h>
#include <unordered_map>

#include "loop/loop.h"
#include "loop/pooled_buffers.h"
#include "loop/send_parts.h"

namespace doorward::loop {

class EpollSocket;
class EpollWait;

// `reason`: why epoll is taken, for choice_reason().
Result<std::unique_ptr<Loop>> create_epoll_loop(const LoopOptions& options, std::string reason);

class EpollTarget {
 public:
  virtual void on_events(std::uint32_t events) = 0;
  // Frees it; nothing points at it any more.
  virtual void destroy() = 0;

 protected:
  ~EpollTarget() = default;
};

class EpollLoop final : public Loop {
 public:
  EpollLoop(const LoopOptions& options, std::string reason);
  ~EpollLoop() override;
  Result<void> set_up();  // once, before anything else

  std::string_view name() const override { return "epoll"; }
  Task<Result<std::unique_ptr<Socket>>> connect(Address to, Deadline deadline) override;
  std::unique_ptr<Socket> adopt(int fd) override;
  std::unique_ptr<Acceptor> accept(int listening_fd, OnAccept on_accept) override;
  Task<Result<void>> readable(int fd, Deadline deadline) override;
  Task<Result<void>> writable(int fd, Deadline deadline) override;
  void cancel_waits(int fd) override;

  // These return errno, 0 when it worked.
  int add(int fd, std::uint32_t events, EpollTarget& target);
  int change(int fd, std::uint32_t events, EpollTarget& target);
  void remove(int fd);

  // A buffer to read into, or null: the larger one when `bulk`, where there is one.
  Buffer* buffer(bool bulk);
  std::uint32_t buffer_size() const { return small_.buffer_size(); }
  bool has_buffer() const { return small_.has_free() || small_.can_grow(); }
  SendPartsPool& send_parts() { return send_parts_; }

  // Lets `socket` read again in the next turn that has a buffer, in order of asking.
  void read_next_turn(EpollSocket& socket) { readers_.push_back(&socket); }
  void forget_reader(EpollSocket& socket) { std::erase(readers_, &socket); }
  void count_exhausted() { ++counters_.buffers_exhausted; }

  void destroy_later(EpollTarget& target) { leaving_.push_back(&target); }

 private:
  // Who waits for a descriptor that is no Socket.
  class DescriptorWaits;
  class Wake final : public EpollTarget {
   public:
    explicit Wake(EpollLoop& loop) : loop_(loop) {}
    void on_events(std::uint32_t events) override;
    void destroy() override {}

   private:
    EpollLoop& loop_;
  };
  friend class EpollWait;

  void poll(TimePoint until) override;
  void run_readers();
  void destroy_leaving();
  DescriptorWaits& waits_of(int fd);
  Task<Result<void>> wait_for(int fd, bool for_writing, Deadline deadline);

  static constexpr int kEventsPerTurn = 256;

  int epoll_ = -1;
  PooledBuffers small_;
  PooledBuffers bulk_;
  SendPartsPool send_parts_;
  std::deque<EpollSocket*> readers_;
  std::unordered_map<int, DescriptorWaits*> waits_;
  std::vector<EpollTarget*> leaving_;
  Wake wake_{*this};
  std::array<epoll_event, kEventsPerTurn> events_;
};

}  // namespace doorward::loop
