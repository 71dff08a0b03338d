#include "codec/h2/channel.h"

#include "codec/h2/session.h"

namespace doorward::codec::h2 {

Channel::Channel(Session& session)
    : session_(session),
      in_(session.loop(), session.held_pieces()),
      out_(session, session.loop()) {}

void Channel::attach(std::int32_t id) {
  id_ = id;
  out_.attach(id);
  session_.link(*this);
}

// What nobody will read still counts in the connection's window until it is consumed.
void Channel::detach(std::uint32_t code) {
  const std::size_t unread = in_.drop();
  if (id_ == 0) return;
  const bool complete = in_.ended() && out_.ended() && !out_.ends_by_reset();
  if (!complete) reset(code);
  if (!session_.dead()) {
    nghttp2_session_set_stream_user_data(session_.engine(), id_, nullptr);
    if (unread > 0) session_.consume(id_, unread);
  }
  session_.unlink(*this);
  id_ = 0;
}

void Channel::reset(std::uint32_t code) {
  if (id_ == 0 || closed_ || session_.dead()) return;
  reset_ = true;
  nghttp2_submit_rst_stream(session_.engine(), NGHTTP2_FLAG_NONE, id_, code);
  session_.pack_later();
}

Error Channel::error(ErrorKind kind, std::string_view cause) const {
  return Error{kind, session_.peer(), Retry::no, 0, {}, std::string(cause)};
}

bool Channel::refuse_message(const BadRequest& why) {
  const Error error{ErrorKind::protocol, session_.peer(), Retry::no,
                    why.status,          why.code,        std::string(why.detail)};
  reset(NGHTTP2_PROTOCOL_ERROR);
  in_.fail(error);
  on_end_of_stream(error);
  return !session_.abused(Abuse::rapid_reset);
}

// RFC 9113 §8.1.1: the sum of all DATA must be what Content-Length says.
bool Channel::on_data(const Chunk& shared, std::string_view bytes) {
  bytes_received_ += bytes.size();
  if (awaits_head_) [[unlikely]] {
    session_.consume(id_, bytes.size());
    return in_.failed() || refuse_message(bad_request(Refusal::data_before_head));
  }
  if (size_.kind != BodySize::Kind::unknown) {
    if (bytes.size() > left_) {
      session_.consume(id_, bytes.size());
      if (in_.failed()) return true;
      return refuse_message(bad_request(Refusal::content_length_mismatch));
    }
    left_ -= bytes.size();
  }
  in_.add(shared, bytes);
  return true;
}

bool Channel::on_end() {
  if (awaits_head_) [[unlikely]] {
    return in_.failed() || refuse_message(bad_request(Refusal::data_before_head));
  }
  if (size_.kind == BodySize::Kind::known && left_ > 0) {
    return in_.failed() || refuse_message(bad_request(Refusal::content_length_mismatch));
  }
  in_.end();
  return true;
}

void Channel::on_closed(std::uint32_t code) {
  if (closed_) return;
  closed_ = true;
  reset_code_ = code;
  // In order when both sides are done. A server may end with NO_ERROR what it wants no more of.
  const bool complete = in_.ended() && out_.ended();
  if (complete) return session_.stream_completed();
  // Of a stream that was given up here, the engine tells that it is closed as well.
  const Error why =
      out_.error() ? *out_.error() : error(ErrorKind::reset, "the peer reset the stream");
  in_.fail(why);
  out_.fail(why);
  on_end_of_stream(why);
}

void Channel::on_lost(const Error& why) {
  if (closed_) return;
  closed_ = true;
  in_.fail(why);
  out_.fail(why);
  on_end_of_stream(why);
}

void Channel::broken(const Error&) {
  if (std::exchange(broken_, true) || watch_ == nullptr) return;
  session_.tell_later();
}

void Channel::watch(loop::PeerWatch* watch) {
  watch_ = watch;
  if (watch != nullptr && broken_) tell_watch();
}

void Channel::tell_watch() {
  if (!broken_ || watch_ == nullptr) return;
  std::exchange(watch_, nullptr)->on_peer_end(ErrorKind::reset);
}

Result<Piece> Channel::take_piece() {
  Result<Piece> piece = in_.take();
  if (piece && !piece->chunk.empty()) session_.consume(id_, piece->chunk.size());
  return piece;
}

loop::Task<Result<Piece>> Channel::read_piece(Deadline deadline) {
  if (in_.ready()) return take_piece();
  return wait_for_piece(deadline);
}

loop::Task<Result<Piece>> Channel::wait_for_piece(Deadline deadline) {
  while (!in_.ready()) {
    switch (co_await in_.wait().until(deadline)) {
      case Woken::ready:
        break;
      case Woken::timeout:
        co_return Failure(error(ErrorKind::timeout, "no content came in time"));
      case Woken::cancelled:
        co_return Failure(error(ErrorKind::cancelled, "the read was given up"));
    }
  }
  co_return take_piece();
}

loop::Task<Result<void>> Channel::send_piece(std::string_view bytes, bool last,
                                             const http::HeaderList* trailers, Arena& arena,
                                             loop::StallLimit limit, Deadline deadline) {
  bytes_sent_ += bytes.size();
  out_.offer(bytes, last, trailers, &arena);
  session_.pack();
  return out_.finish(limit, deadline);
}

}  // namespace doorward::codec::h2
