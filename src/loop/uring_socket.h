// UringSocket: a Socket over io_uring.
//
// Receiving has two paces. In `stream` a multishot recv fills small shared buffers as data comes:
// cheapest for messages. When more is queued than its reader takes (kQueuedMax), or when whole
// buffers keep coming, the multishot is cancelled and the socket is `paced`: one recv at a time
// into a bulk buffer, begun when the reader has taken everything. So a fast peer with a slow
// reader holds one or two buffers, and a large body costs few completions.
#pragma once

#include <new>

#include "loop/socket.h"
#include "loop/uring_loop.h"

namespace doorward::loop {

class UringSocket final : public Socket {
 public:
  UringSocket(UringLoop& loop, int fd);
  // Keeps the memory until the last completion.
  static void operator delete(UringSocket* socket, std::destroying_delete_t);

  void on_recv(ProvidedBuffers& from, int result, unsigned flags);
  void on_send(int result);
  void receive_again();  // there is a buffer for it

 private:
  static constexpr std::uint32_t kQueuedMax = 4;           // buffers
  static constexpr std::uint32_t kQueuedBytesMax = 65536;  // bytes
  static constexpr std::uint8_t kFullBeforePaced = 4;
  static constexpr std::uint8_t kSmallBeforeStream = 2;

  bool send_now(std::span<const iovec> parts) override;
  void on_taken() override;
  void stop_send(End why) override;

  void take_arrived(ProvidedBuffers& from, int result, unsigned flags);
  void choose_pace(std::uint32_t bytes);
  void keep_receiving();
  void receive();
  void pause_stream();
  void send_rest();
  void end_send(End end, int error);
  void leave_when_idle();

  UringLoop& uring() { return static_cast<UringLoop&>(loop_); }
  bool is_queue_long() const {
    return queue_.count() >= kQueuedMax || queue_.bytes() >= kQueuedBytesMax;
  }

  bool paced_ = false;
  bool receiving_ = false;  // a recv is with the kernel
  bool multishot_ = false;  // ... a multishot one
  bool bulk_ = false;       // ... into a bulk buffer
  bool pausing_ = false;    // ... that is being cancelled
  bool starving_ = false;   // waits for a buffer
  std::uint8_t streak_ = 0;
  End send_stop_ = End::open;  // why the send in flight is being cancelled
  std::unique_ptr<SendParts> parts_;
};

}  // namespace doorward::loop
