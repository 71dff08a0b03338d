// EpollSocket: a Socket over edge-triggered epoll. It reads when its reader asks, straight away if
// the last event left something unread, and sends at once what the kernel takes; so bytes that
// nobody reads stay with the kernel, and it holds no more than one buffer.
#pragma once

#include <new>

#include "loop/epoll_loop.h"
#include "loop/socket.h"

namespace doorward::loop {

class EpollSocket final : public Socket, public EpollTarget {
 public:
  EpollSocket(EpollLoop& loop, int fd);
  // Keeps the memory until the turn's end.
  static void operator delete(EpollSocket* socket, std::destroying_delete_t);

  void read_again();  // the turn that was asked for has come

 private:
  static constexpr std::uint8_t kReadsPerTurn = 16;
  static constexpr std::uint8_t kFullBeforeBulk = 4;

  void on_events(std::uint32_t events) override;
  void destroy() override;
  void recv_wait(std::coroutine_handle<> waiter, Deadline deadline) override;
  bool pull() override;
  void on_taken() override {}
  End peer_end() const override { return seen_end_ != End::open ? seen_end_ : receive_end_; }
  bool send_now(std::span<const iovec> parts) override;
  void stop_send(End why) override;

  void note_end(std::uint32_t events);
  void read();
  void note_end_of_bytes(ssize_t result, int error);
  void choose_size(const Buffer& buffer, std::uint32_t room);
  ssize_t send_some(std::span<const iovec> parts);
  void send_rest();
  void end_send(End end, int error);

  EpollLoop& epoll() { return static_cast<EpollLoop&>(loop_); }

  bool readable_ = false;       // the kernel may have more for us
  bool asked_to_read_ = false;  // stands in the loop's list of readers
  std::uint8_t reads_ = 0;      // since the loop last had its turn
  std::uint8_t full_reads_ = 0;
  End seen_end_ = End::open;  // what epoll told of the peer, maybe before the last bytes are read
  std::unique_ptr<SendParts> parts_;
};

}  // namespace doorward::loop
