#include "codec/h2/tunnel_bytes.h"

#include "codec/h2/session.h"

namespace doorward::codec::h2 {

void TunnelBytes::shutdown_send() {
  channel_.out().offer({}, true, nullptr, &arena_);
  channel_.session().pack();
}

Deadline TunnelBytes::stalled_at() const {
  if (stall_.timeout == Duration(0)) return Deadline::never();
  return Deadline::after(channel_.session().loop().now(), stall_.timeout);
}

void TunnelBytes::abort() {
  channel_.reset(NGHTTP2_CANCEL);
  const Error why{ErrorKind::cancelled, Side::doorward, Retry::no, 0, {}, "the tunnel was ended"};
  channel_.in().fail(why);
  channel_.out().fail(why);
}

Result<Chunk> TunnelBytes::recv_take() {
  if (!channel_.in().ready()) {
    const bool late = channel_.in().wait().how() == Woken::timeout;
    return fail(late ? ErrorKind::timeout : ErrorKind::cancelled, "no bytes came");
  }
  Result<Piece> piece = channel_.take_piece();
  if (!piece) return Failure(piece.error());
  received_ += piece->chunk.size();
  return std::move(piece->chunk);
}

std::string_view TunnelBytes::joined(std::span<const iovec> parts) {
  if (parts.size() == 1) return {static_cast<const char*>(parts[0].iov_base), parts[0].iov_len};
  room_.clear();
  for (const iovec& part : parts)
    room_.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return room_;
}

bool TunnelBytes::send_now(std::span<const iovec> parts) {
  const std::string_view bytes = joined(parts);
  sent_ += bytes.size();
  channel_.out().offer(bytes, false, nullptr, &arena_);
  channel_.session().pack();
  return channel_.out().settled();
}

Result<void> TunnelBytes::send_take() {
  Outflow& out = channel_.out();
  if (!out.settled()) {
    const bool late = out.waiter().how() == Woken::timeout;
    out.give_up(late ? ErrorKind::timeout : ErrorKind::cancelled, "the peer takes no more bytes");
  }
  return out.result();
}

}  // namespace doorward::codec::h2
