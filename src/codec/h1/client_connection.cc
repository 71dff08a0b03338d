#include "codec/h1/client_connection.h"

namespace doorward::codec::h1 {
namespace {

Failure of_backend(Error error) {
  error.side = Side::backend;
  return Failure(std::move(error));
}

}  // namespace

ClientConnection::ClientConnection(loop::Loop& loop, std::unique_ptr<loop::ByteStream> bytes,
                                   const ClientSettings& settings)
    : loop_(loop),
      bytes_(std::move(bytes)),
      settings_(settings),
      receiver_(*bytes_),
      sender_(*bytes_) {
  bytes_->limit_stall({settings.idle_timeout, 0});
}

void ClientConnection::begin(Arena& arena) {
  arena_ = &arena;
  target_ = {};
  total_deadline_ = Deadline::never();
  received_before_ = bytes_->received();
  sent_before_ = bytes_->sent();
  request_done_ = response_begun_ = false;
}

bool ClientConnection::reusable() const {
  return !broken_ && !once_ && request_done_ && response_begun_ && parser_.keep_alive() &&
         receiver_.at_message_end() && !receiver_.has_pending();
}

void ClientConnection::abort() {
  broken_ = true;
  bytes_->abort();
}

loop::Task<Result<void>> ClientConnection::send_request(const http::RequestHead& head,
                                                        BodySize size, std::string_view first,
                                                        bool last) {
  const bool upgrade = head.headers.has(http::HeaderName::upgrade);
  parser_.reset(head.method, upgrade);
  HeadOptions options;
  options.target = target_;
  if (upgrade) options.connection = "upgrade";
  if (size.kind == BodySize::Kind::unknown) options.framing = WriteFraming::chunked;
  if (size.kind == BodySize::Kind::known) options.framing = WriteFraming::length;
  options.length = size.length;
  const MessageStart start = sender_.start(head, options, false, first, last, *arena_);
  co_return settle(co_await bytes_->send(start.parts(), total_deadline_), last);
}

loop::Task<Result<void>> ClientConnection::send_body(std::string_view bytes, bool last,
                                                     const http::HeaderList* trailers) {
  co_return settle(co_await sender_.piece(bytes, last, trailers, *arena_, total_deadline_), last);
}

Result<void> ClientConnection::settle(Result<void> sent, bool last) {
  request_done_ = request_done_ || last;
  if (sent) return sent;
  broken_ = true;
  return of_backend(std::move(sent.error()));
}

loop::Task<Result<void>> ClientConnection::read_response(http::ResponseHead& head, Arena& arena,
                                                         Deadline deadline) {
  if (response_begun_) parser_.next_head();
  response_begun_ = true;
  Progress progress = receiver_.feed_head(parser_, head, arena, settings_.parse);
  while (progress == Progress::need_more) {
    Result<Chunk> got = co_await bytes_->recv(deadline);
    if (!got) {
      broken_ = true;
      co_return of_backend(std::move(got.error()));
    }
    if (got->empty()) {
      broken_ = true;
      co_return of_backend({ErrorKind::closed,
                            Side::backend,
                            Retry::no,
                            0,
                            {},
                            "the backend closed the connection"});
    }
    receiver_.accept(std::move(*got));
    progress = receiver_.feed_head(parser_, head, arena, settings_.parse);
  }
  co_return accept_head(progress, arena);
}

Result<void> ClientConnection::accept_head(Progress progress, Arena& arena) {
  if (progress == Progress::refused) {
    broken_ = true;
    const Refusal why = parser_.refusal();
    return Failure(Error{ErrorKind::protocol, Side::backend, Retry::no, status_of(why),
                         to_string(why), std::string(sentence(why))});
  }
  if (!parser_.interim()) receiver_.begin_body(parser_.framing(), arena);
  return {};
}

loop::Task<Result<Piece>> ClientConnection::read_body() {
  auto reading = receiver_.read_piece(idle_deadline());
  if (reading.is_ready()) return judge(reading.take());
  return wait_for_body(std::move(reading));
}

loop::Task<Result<Piece>> ClientConnection::wait_for_body(loop::Task<Result<Piece>> reading) {
  co_return judge(co_await std::move(reading));
}

Result<Piece> ClientConnection::judge(Result<Piece> piece) {
  if (piece) return piece;
  broken_ = true;
  piece.error().side = Side::backend;
  return piece;
}

loop::ByteStream* ClientConnection::take_transport(Chunk& early_bytes) {
  broken_ = true;  // never back to a pool
  early_bytes = receiver_.take_pending();
  return bytes_.get();
}

}  // namespace doorward::codec::h1
