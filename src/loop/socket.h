// Socket: a ByteStream over a file descriptor. This part is common to both backends: the queue of
// what was received, who waits, deadlines, the watch and the end of the stream. uring_socket and
// epoll_socket do the I/O.
//
// Owner: whoever holds the unique_ptr. Destroying it ends the connection; nobody may wait in it.
// Subtle: memory of a destroyed Socket lives until its last completion has come (each backend has
// a destroying operator delete), so a late completion always finds its own socket. Resuming a
// waiter may destroy the socket: it is the last thing that any function here does.
#pragma once

#include "loop/address.h"
#include "loop/buffer.h"
#include "loop/byte_stream.h"
#include "loop/loop.h"
#include "loop/send_parts.h"
#include "loop/timer.h"

namespace doorward::loop {

class Socket : public ByteStream, protected TimerTarget {
 public:
  int fd() const { return fd_; }
  Address peer() const;   // asks the kernel
  Address local() const;  // asks the kernel

  bool recv_ready() override;
  void cancel_recv() override;
  void cancel_send() override;
  void try_send(std::string_view bytes) override;
  bool broken() const override;
  void watch_peer(PeerWatch* watch) override;
  void shutdown_send() override;
  void abort() override;
  // For TCP this includes what has gone out of a send under way.
  std::uint64_t acknowledged() const override;

  ~Socket() override = default;

 protected:
  // How receiving or sending came to its end.
  enum class End : std::uint8_t { open, finished, broken, cancelled, timeout };

  Socket(Loop& loop, int fd) : loop_(loop), fd_(fd) {}

  void recv_wait(std::coroutine_handle<> waiter, Deadline deadline) override;
  Result<Chunk> recv_take() override;
  void send_wait(std::coroutine_handle<> waiter, Deadline deadline) override;
  Result<void> send_take() override;

  // For the backend: may more be received now, without waiting? Fills queue_ or ends it.
  virtual bool pull() { return false; }
  // How the peer ended, as far as known; maybe before its last bytes are received.
  virtual End peer_end() const { return receive_end_; }
  // A buffer has left the queue.
  virtual void on_taken() = 0;
  // Ends the send in flight, which then reports `why`.
  virtual void stop_send(End why) = 0;

  // What the backend saw. Both wake the receiver or tell the watch: nothing may follow them.
  void peer_finished();
  void peer_broke(int error);
  void wake_receiver();
  void tell_watch();
  // Resumes the sender, later in this turn or at once (then nothing may follow).
  void wake_sender_later();

  // Leaves timer, queue and watch; for the backend's operator delete.
  void let_go();

  Loop& loop_;
  int fd_;
  End receive_end_ = End::open;   // open, finished, broken, cancelled (abort)
  End receive_stop_ = End::open;  // why the waiting recv ends without bytes
  End send_end_ = End::open;
  bool sending_ = false;   // a send is in flight
  bool released_ = false;  // the owner has destroyed it
  int error_ = 0;          // errno of a broken stream
  int send_error_ = 0;
  BufferQueue queue_;
  std::coroutine_handle<> receiver_;
  std::coroutine_handle<> sender_;

 private:
  void on_timer(Timer& timer) override;
  void check_sending(TimePoint now);
  Deadline next_send_check(TimePoint now) const;
  Failure failure(End end, int error, std::string_view what) const;

  PeerWatch* watch_ = nullptr;
  Deadline recv_deadline_;
  Deadline send_deadline_;
  Deadline send_check_;          // when the send in flight is looked at
  bool send_marked_ = false;     // it was looked at before
  std::uint64_t send_mark_ = 0;  // … and that much was acknowledged then
  Timer timer_{*this};           // the earlier of both sides, or a past one that nobody waits for
};

}  // namespace doorward::loop
