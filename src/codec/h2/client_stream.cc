#include "codec/h2/client_stream.h"

#include "base/check.h"
#include "codec/h2/client_connection.h"
#include "codec/h2/head_writer.h"
#include "codec/h2/websocket_key.h"
#include "http/field.h"
#include "http/status.h"

namespace doorward::codec::h2 {

using http::HeaderName;

namespace {

// How long a backend's SETTINGS are waited for, where they say what it can do.
constexpr Duration kSettingsPatience{5'000};

}  // namespace

ClientStream::ClientStream(ClientConnection& connection)
    : Channel(connection), connection_(connection) {
  awaits_head_ = true;
  connection.stream_opened();
}

ClientStream::~ClientStream() {
  detach(NGHTTP2_CANCEL);
  connection_.stream_ended();
}

Deadline ClientStream::idle_deadline() const {
  const Duration patience = connection_.settings().idle_timeout;
  return Deadline::after(connection_.loop().now(), patience).earlier(total_deadline_);
}

// Behind a Content-Length of 0 the end, and trailers, may still be on their way.
BodySize ClientStream::received_size() const {
  if (switched_) return BodySize::empty();
  const bool open_end = size_.kind == BodySize::Kind::known && size_.length == 0 && !in_.ended();
  return open_end ? BodySize::unknown() : size_;
}

loop::StallLimit ClientStream::stall_limit() const {
  return {connection_.settings().idle_timeout, 0};
}

bool ClientStream::provably_unseen() const {
  if (id() == 0 || received_any_) return !received_any_;
  if (closed_ && reset_code_ == NGHTTP2_REFUSED_STREAM) return true;
  return connection_.transport().acknowledged() <= began_at_;
}

void ClientStream::on_end_of_stream(const Error& why) {
  if (!ended_by_) {
    ended_by_ = why;
    if (closed_ && reset_code_ == NGHTTP2_REFUSED_STREAM && !received_any_) {
      ended_by_->retry = Retry::yes;
      ended_by_->cause = "the backend refused the stream before it looked at it";
    }
  }
  broken(why);
}

bool ClientStream::submit(const http::RequestHead& head, BodySize size, bool ends) {
  const RequestLine line{target_.empty() ? head.target : target_,
                         connection_.settings().https ? "https" : "http", websocket_};
  const Pairs pairs = write_request(head, line, size, *arena_);
  nghttp2_data_provider provider = out_.provider();
  // Bytes of the transport, as acknowledged() counts them. What is packed or being sent by now goes
  // out before, so the request begins there or later.
  began_at_ = connection_.transport().sent();
  const std::int32_t stream =
      nghttp2_submit_request(session_.engine(), nullptr, pairs.data(), pairs.size(),
                             ends ? nullptr : &provider, static_cast<Channel*>(this));
  if (stream < 0) return false;
  attach(stream);
  out_.head_submitted(ends);
  connection_.watch_answer();
  return true;
}

loop::Task<Result<void>> ClientStream::send_request(const http::RequestHead& head, BodySize size,
                                                    std::string_view first, bool last) {
  DOORWARD_CHECK(arena_ != nullptr && id() == 0);
  method_ = head.method;
  if (head.headers.has(HeaderName::upgrade)) return send_connect(head, size);
  return send_head(head, size, first, last);
}

// RFC 8441 §3: not before the peer's SETTINGS allow it.
loop::Task<Result<void>> ClientStream::send_connect(const http::RequestHead& head, BodySize size) {
  if (!http::equal_ignore_case(head.headers.value(HeaderName::upgrade), "websocket")) {
    ended_by_ = error(ErrorKind::unavailable,
                      "HTTP/2 carries no upgrade but that to WebSocket, and the backend speaks "
                      "HTTP/2");
    ended_by_->reason = "backend_no_upgrade";
    co_return Result<void>(why_ended());
  }
  websocket_ = true;
  const Deadline patience = Deadline::after(connection_.loop().now(), kSettingsPatience);
  co_await connection_.settle(in_.wait(), patience.earlier(total_deadline_));
  if (!connection_.takes_websocket()) {
    ended_by_ = error(ErrorKind::unavailable, "the backend takes no WebSocket over HTTP/2");
    ended_by_->reason = "backend_no_websocket";
    co_return Result<void>(why_ended());
  }
  websocket_key_ = head.headers.value(HeaderName::sec_websocket_key);
  co_return co_await send_head(head, size, {}, true);
}

loop::Task<Result<void>> ClientStream::send_head(const http::RequestHead& head, BodySize size,
                                                 std::string_view first, bool last) {
  const bool ends = last && first.empty() && !websocket_;
  if (session_.dead() || connection_.ending() || !submit(head, size, ends)) {
    ended_by_ = error(ErrorKind::closed, "the connection takes no further request");
    ended_by_->retry = Retry::yes;
    return Result<void>(why_ended());
  }
  if (!ends)
    return send_piece(first, last && !websocket_, nullptr, *arena_, stall_limit(), total_deadline_);
  session_.pack();
  return out_.finish(stall_limit(), total_deadline_);
}

loop::Task<Result<void>> ClientStream::send_body(std::string_view bytes, bool last,
                                                 const http::HeaderList* trailers) {
  return send_piece(bytes, last, trailers, *arena_, stall_limit(), total_deadline_);
}

void ClientStream::abort() {
  reset(NGHTTP2_CANCEL);
  const Error why{ErrorKind::cancelled, Side::doorward, Retry::no, 0, {}, "the stream was ended"};
  in_.fail(why);
  out_.fail(why);
  on_end_of_stream(why);
}

void ClientStream::on_block_begins() {
  received_any_ = true;
  if (final_head_) {
    trailers_ = arena_->make<http::HeaderList>(*arena_);
    return reader_.begin(HeadReader::Kind::trailers, *arena_, *trailers_,
                         connection_.settings().parse);
  }
  arriving_ = arena_->make<Received>(*arena_);
  reader_.begin(HeadReader::Kind::response, *arena_, arriving_->head.headers,
                connection_.settings().parse);
}

bool ClientStream::on_block_ends(bool last) {
  if (final_head_) return take_trailers(last);
  http::ResponseHead& head = arriving_->head;
  if (!reader_.finish(head)) return refuse_message(reader_.why());
  if (head.status >= 200) return take_final(head, last);
  // RFC 9113 §8.1: an interim response does not end the stream.
  if (last) return refuse_message(bad_request(h1::Refusal::bad_status));
  if (++interim_ > kInterimMost) return refuse_message(bad_request(h1::Refusal::too_many_interim));
  push_head();
  return true;
}

bool ClientStream::take_trailers(bool last) {
  if (!last) return refuse_message(bad_request(Refusal::trailers_without_end));
  if (!reader_.finish_trailers()) return refuse_message(reader_.why());
  if (trailers_->empty()) trailers_ = nullptr;
  return on_end();
}

bool ClientStream::take_final(const http::ResponseHead& head, bool last) {
  final_head_ = true;
  awaits_head_ = false;
  const bool no_content = method_ == http::Method::head || http::has_no_content(head.status);
  if (websocket_ && head.status / 100 == 2) {
    switch_protocols(arriving_->head);
    size_ = BodySize::unknown();
  } else if (no_content) {
    expect_body(BodySize::empty());
  } else if (reader_.has_length()) {
    expect_body(BodySize::known(reader_.length()));
  } else {
    expect_body(last ? BodySize::empty() : BodySize::unknown());
  }
  push_head();
  return !last || on_end();
}

// What HTTP/1.1 would have answered (RFC 8441 §5, RFC 6455 §4.2.2).
void ClientStream::switch_protocols(http::ResponseHead& head) {
  switched_ = true;
  head.status = 101;
  head.reason = http::reason_phrase(101);
  head.headers.add(HeaderName::connection, "upgrade");
  head.headers.add(HeaderName::upgrade, "websocket");
  if (!websocket_key_.empty()) {
    head.headers.set(HeaderName::sec_websocket_accept, websocket_accept(websocket_key_, *arena_));
  }
}

void ClientStream::push_head() {
  (last_head_ == nullptr ? first_head_ : last_head_->next) = arriving_;
  last_head_ = std::exchange(arriving_, nullptr);
  in_.wait().wake();
}

Failure ClientStream::why_ended() const {
  if (ended_by_) return Failure(*ended_by_);
  return Failure(error(ErrorKind::closed, "the stream ended before its response"));
}

loop::Task<Result<void>> ClientStream::read_response(http::ResponseHead& head, Arena&,
                                                     Deadline deadline) {
  const Deadline until = deadline.earlier(total_deadline_);
  while (first_head_ == nullptr) {
    if (is_broken() || closed_ || session_.dead() || id() == 0) co_return why_ended();
    switch (co_await in_.wait().until(until)) {
      case Woken::ready:
        break;
      case Woken::timeout:
        co_return Failure(error(ErrorKind::timeout, "no response came in time"));
      case Woken::cancelled:
        co_return Failure(error(ErrorKind::cancelled, "the wait was given up"));
    }
  }
  Received* const received = first_head_;
  first_head_ = received->next;
  if (first_head_ == nullptr) last_head_ = nullptr;
  head = std::move(received->head);
  if (head.reason.empty()) head.reason = http::reason_phrase(head.status);
  co_return Result<void>();
}

loop::ByteStream* ClientStream::take_transport(Chunk& early_bytes) {
  early_bytes = Chunk();
  return &tunnel_.emplace(*this, *arena_);
}

}  // namespace doorward::codec::h2
