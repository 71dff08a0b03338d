#include "loop/uring_socket.h"

#include <cerrno>

#include "base/check.h"

namespace doorward::loop {
namespace {

constexpr unsigned kSendFlags = MSG_NOSIGNAL | MSG_WAITALL;

}  // namespace

UringSocket::UringSocket(UringLoop& loop, int fd) : Socket(loop, fd) { receive(); }

void UringSocket::operator delete(UringSocket* socket, std::destroying_delete_t) {
  socket->let_go();
  socket->uring().leaving_began();
  if (socket->starving_) socket->uring().forget_waiting(*socket);
  if (socket->receiving_ && !socket->pausing_) socket->pause_stream();
  socket->leave_when_idle();
}

void UringSocket::leave_when_idle() {
  if (receiving_ || sending_) return;
  uring().close_later(fd_);
  uring().leaving_ended();
  this->~UringSocket();
  ::operator delete(this);
}

void UringSocket::on_recv(ProvidedBuffers& from, int result, unsigned flags) {
  if ((flags & IORING_CQE_F_MORE) == 0) receiving_ = multishot_ = pausing_ = false;
  if (released_ || receive_end_ != End::open) {
    if ((flags & IORING_CQE_F_BUFFER) != 0) from.picked(flags >> 16, 0).discard();
    if (released_) leave_when_idle();
    return;
  }
  take_arrived(from, result, flags);
  if (result == 0) return peer_finished();
  if (result < 0 && result != -ENOBUFS && result != -ECANCELED) return peer_broke(-result);
  if (!starving_) keep_receiving();
  if (result > 0 && receiver_) wake_receiver();
}

void UringSocket::take_arrived(ProvidedBuffers& from, int result, unsigned flags) {
  if ((flags & IORING_CQE_F_BUFFER) != 0) {
    Buffer& buffer = from.picked(flags >> 16, result > 0 ? static_cast<std::uint32_t>(result) : 0);
    if (result <= 0) return buffer.discard();
    received_ += buffer.size;
    queue_.push(buffer);
    choose_pace(buffer.size);
  } else if (result == -ENOBUFS) {
    uring().count_exhausted();
    if (&from == &uring().bulk_buffers()) from.grow();
    starving_ = true;
    uring().wait_for_buffer(*this);
  }
}

void UringSocket::choose_pace(std::uint32_t bytes) {
  const bool fills_small = bytes >= uring().buffers().buffer_size();
  if (fills_small == paced_) {
    streak_ = 0;
  } else if (++streak_ >= (paced_ ? kSmallBeforeStream : kFullBeforePaced)) {
    paced_ = !paced_;
    streak_ = 0;
  }
  if (is_queue_long()) paced_ = true;
}

// Begins, goes on or pauses receiving, whatever the pace and the queue ask for.
void UringSocket::keep_receiving() {
  if (receive_end_ != End::open) return;
  if (receiving_) {
    if (multishot_ && paced_ && !pausing_) pause_stream();
  } else if (!starving_ && (queue_.empty() || (!paced_ && !is_queue_long()))) {
    receive();
  }
}

void UringSocket::receive() {
  // A stream of bulk buffers may be exhausted by slow readers; small ones serve then as well.
  const bool bulk =
      paced_ && (uring().bulk_buffers().available() > 0 || uring().bulk_buffers().grow());
  const UringRole role = bulk ? UringRole::recv_bulk : UringRole::recv;
  io_uring_sqe& entry = uring().begin(IORING_OP_RECV, fd_, this, role);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = (bulk ? uring().bulk_buffers() : uring().buffers()).group();
  if (!paced_) entry.ioprio |= IORING_RECV_MULTISHOT;
  receiving_ = true;
  multishot_ = !paced_;
  bulk_ = bulk;
}

void UringSocket::receive_again() {
  starving_ = false;
  keep_receiving();
}

void UringSocket::pause_stream() {
  pausing_ = true;
  uring().cancel(this, bulk_ ? UringRole::recv_bulk : UringRole::recv);
}

void UringSocket::on_taken() { keep_receiving(); }

bool UringSocket::send_now(std::span<const iovec> parts) {
  DOORWARD_CHECK(!sending_);
  if (send_end_ != End::open) return true;
  if (parts.empty()) return true;
  parts_ = uring().send_parts().take();
  parts_->assign(parts);
  if (parts_->bytes() == 0) {
    uring().send_parts().give(std::move(parts_));
    return true;
  }
  sending_ = true;
  send_rest();
  return false;
}

void UringSocket::send_rest() {
  if (parts_->count() == 1) {
    io_uring_sqe& entry = uring().begin(IORING_OP_SEND, fd_, this, UringRole::send);
    entry.addr = reinterpret_cast<std::uintptr_t>(parts_->front().iov_base);
    entry.len =
        static_cast<std::uint32_t>(std::min<std::size_t>(parts_->front().iov_len, 1u << 30));
    entry.msg_flags = kSendFlags;
  } else {
    io_uring_sqe& entry = uring().begin(IORING_OP_SENDMSG, fd_, this, UringRole::send);
    entry.addr = reinterpret_cast<std::uintptr_t>(&parts_->message());
    entry.len = 1;
    entry.msg_flags = kSendFlags;
  }
}

void UringSocket::on_send(int result) {
  if (result < 0) {
    if (result == -ECANCELED && send_stop_ != End::open) return end_send(send_stop_, 0);
    if (result == -EINTR || result == -EAGAIN) return send_rest();
    return end_send(End::broken, -result);
  }
  sent_ += static_cast<std::uint64_t>(result);
  parts_->consume(static_cast<std::size_t>(result));
  if (parts_->bytes() == 0) return end_send(End::open, 0);
  if (send_stop_ != End::open) return end_send(send_stop_, 0);
  send_rest();
}

void UringSocket::end_send(End end, int error) {
  if (send_end_ == End::open) send_end_ = end;
  send_error_ = error;
  sending_ = false;
  send_stop_ = End::open;
  uring().send_parts().give(std::move(parts_));
  if (sender_) std::exchange(sender_, nullptr).resume();
}

void UringSocket::stop_send(End why) {
  if (send_stop_ != End::open) return;
  send_stop_ = why;
  uring().cancel(this, UringRole::send);
}

}  // namespace doorward::loop
