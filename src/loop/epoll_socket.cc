#include "loop/epoll_socket.h"

#include <cerrno>
#include <unistd.h>

#include "base/check.h"
#include "loop/socket_calls.h"

namespace doorward::loop {

EpollSocket::EpollSocket(EpollLoop& loop, int fd) : Socket(loop, fd) {
  const int error = loop.add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
  if (error == 0) return;
  receive_end_ = send_end_ = End::broken;
  error_ = send_error_ = error;
}

void EpollSocket::operator delete(EpollSocket* socket, std::destroying_delete_t) {
  socket->let_go();
  if (socket->asked_to_read_) socket->epoll().forget_reader(*socket);
  socket->epoll().remove(socket->fd_);  // closing is not enough while a child that forked holds it
  close(socket->fd_);
  socket->epoll().destroy_later(*socket);
}

void EpollSocket::destroy() {
  this->~EpollSocket();
  ::operator delete(this);
}

void EpollSocket::on_events(std::uint32_t events) {
  if (released_) return;
  reads_ = 0;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) note_end(events);
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if (sending_ && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) send_rest();
  if (receiver_ && readable_ && !asked_to_read_)
    read_again();
  else if (!receiver_ && seen_end_ != End::open)
    tell_watch();
}

void EpollSocket::note_end(std::uint32_t events) {
  if ((events & EPOLLERR) != 0) {
    seen_end_ = End::broken;
  } else if (seen_end_ == End::open) {
    seen_end_ = End::finished;
  }
}

void EpollSocket::read_again() {
  asked_to_read_ = false;
  reads_ = 0;
  if (!receiver_) return;  // a timeout or a cancel came first
  if (pull()) return wake_receiver();
  if (readable_) {
    asked_to_read_ = true;
    epoll().read_next_turn(*this);
  }
}

bool EpollSocket::pull() {
  if (readable_ && receive_end_ == End::open && reads_ < kReadsPerTurn) read();
  return !queue_.empty() || receive_end_ != End::open;
}

void EpollSocket::recv_wait(std::coroutine_handle<> waiter, Deadline deadline) {
  Socket::recv_wait(waiter, deadline);
  if (!readable_ || asked_to_read_) return;
  asked_to_read_ = true;
  epoll().read_next_turn(*this);
}

void EpollSocket::read() {
  Buffer* buffer = epoll().buffer(full_reads_ >= kFullBeforeBulk);
  if (buffer == nullptr) return epoll().count_exhausted();
  ++reads_;
  const std::uint32_t room = buffer->capacity;
  ssize_t result = 0;
  do {
    result = recv_bytes(fd_, buffer->data, room);
  } while (result < 0 && errno == EINTR);
  if (result <= 0) {
    const int error = errno;
    buffer->discard();
    return note_end_of_bytes(result, error);
  }
  buffer->size = static_cast<std::uint32_t>(result);
  received_ += buffer->size;
  queue_.push(*buffer);
  choose_size(*buffer, room);
}

void EpollSocket::choose_size(const Buffer& buffer, std::uint32_t room) {
  // A short read has emptied the socket, unless the end is behind it.
  if (buffer.size < room && seen_end_ == End::open) readable_ = false;
  if (buffer.size < epoll().buffer_size()) {
    full_reads_ = 0;
  } else if (full_reads_ < kFullBeforeBulk) {
    ++full_reads_;
  }
}

void EpollSocket::note_end_of_bytes(ssize_t result, int error) {
  readable_ = false;
  if (result == 0 && seen_end_ != End::broken) {
    receive_end_ = End::finished;
  } else if (result == 0) {  // a send took the error already
    receive_end_ = End::broken;
    error_ = ECONNRESET;
  } else if (error != EAGAIN) {
    receive_end_ = End::broken;
    error_ = error;
  }
}

bool EpollSocket::send_now(std::span<const iovec> parts) {
  DOORWARD_CHECK(!sending_);
  if (send_end_ != End::open) return true;
  std::size_t wanted = 0;
  for (const iovec& part : parts) wanted += part.iov_len;
  if (wanted == 0) return true;
  const ssize_t sent = send_some(parts);
  if (sent < 0 && errno != EAGAIN) {
    send_end_ = End::broken;
    send_error_ = errno;
    return true;
  }
  if (static_cast<std::size_t>(std::max<ssize_t>(sent, 0)) == wanted) return true;
  parts_ = epoll().send_parts().take();
  parts_->assign(parts);
  if (sent > 0) parts_->consume(static_cast<std::size_t>(sent));
  sending_ = true;
  if (sent > 0) send_rest();  // until the kernel says EAGAIN: only then comes another event
  return !sending_;
}

ssize_t EpollSocket::send_some(std::span<const iovec> parts) {
  ssize_t sent = 0;
  do {
    if (parts.size() == 1) {
      sent = send_bytes(fd_, parts[0].iov_base, parts[0].iov_len);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(parts.data());
      message.msg_iovlen = std::min<std::size_t>(parts.size(), SendParts::kPartsMax);
      sent = send_message(fd_, message);
    }
  } while (sent < 0 && errno == EINTR);
  if (sent > 0) sent_ += static_cast<std::uint64_t>(sent);
  return sent;
}

void EpollSocket::send_rest() {
  while (parts_->bytes() > 0) {
    const ssize_t sent = send_some(parts_->rest());
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return end_send(End::broken, errno);
    parts_->consume(static_cast<std::size_t>(sent));
  }
  end_send(End::open, 0);
}

void EpollSocket::end_send(End end, int error) {
  if (send_end_ == End::open) send_end_ = end;
  send_error_ = error;
  sending_ = false;
  epoll().send_parts().give(std::move(parts_));
  wake_sender_later();
}

void EpollSocket::stop_send(End why) { end_send(why, 0); }

}  // namespace doorward::loop
