#include "codec/h2/server_stream.h"

#include "codec/h2/head_writer.h"
#include "codec/h2/priority.h"
#include "codec/h2/server_connection.h"
#include "codec/h2/websocket_key.h"
#include "http/status.h"

namespace doorward::codec::h2 {
namespace {

using http::HeaderName;

constexpr Duration kRateWindow{10'000};

}  // namespace

ServerStream::ServerStream(ServerConnection& connection, std::int32_t id)
    : Channel(connection), connection_(connection), incoming_(connection.sink().open(*this)) {
  attach(id);
  nghttp2_session_set_stream_user_data(session_.engine(), id, static_cast<Channel*>(this));
}

// RFC 9113 §8.1: a response may be complete before its request; what is left of that is declined
// without blame.
ServerStream::~ServerStream() {
  std::uint32_t code = NGHTTP2_NO_ERROR;
  if (out_.ends_by_reset()) code = NGHTTP2_PROTOCOL_ERROR;
  if (!out_.ended()) code = aborted_ ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL;
  detach(code);
  connection_.sink().close(incoming_);
}

const ServerSettings& ServerStream::settings() const { return connection_.settings(); }

loop::StallLimit ServerStream::stall_limit() const {
  return {settings().send_timeout, settings().min_data_rate};
}

void ServerStream::on_block_begins() {
  Arena& arena = incoming_.arena;
  if (!head_done_) {
    connection_.head_begins();
    incoming_.begun = session_.loop().now();
    return reader_.begin(HeadReader::Kind::request, arena, incoming_.head.headers,
                         settings().parse);
  }
  trailers_ = arena.make<http::HeaderList>(arena);
  reader_.begin(HeadReader::Kind::trailers, arena, *trailers_, settings().parse);
}

bool ServerStream::on_block_ends(bool last) {
  if (head_done_) {
    if (!last) return refuse_message(bad_request(Refusal::trailers_without_end));
    if (!reader_.finish_trailers()) return refuse_message(reader_.why());
    if (trailers_->empty()) trailers_ = nullptr;
    return on_end();
  }
  head_done_ = true;
  if (incoming_.begun == session_.loop().now()) incoming_.begun = {};
  const bool sound = reader_.finish(incoming_.head);
  if (sound) {
    choose_body(last);
    honour_priority();
  }
  if (last && sound) on_end();
  if (last && !sound) in_.end();
  const bool go_on = sound || !is_malformed(reader_.why()) || !session_.abused(Abuse::rapid_reset);
  connection_.head_ends(*this);
  return go_on;
}

void ServerStream::choose_body(bool last) {
  websocket_ = reader_.extended_connect();
  if (websocket_) {
    add_websocket_key();
    // To its reader the request has no content, as an upgrade has none; to the engine any.
    size_ = BodySize::unknown();
    return;
  }
  if (reader_.has_length()) {
    expect_body(BodySize::known(reader_.length()));
  } else {
    expect_body(last ? BodySize::empty() : BodySize::unknown());
  }
  continue_due_ = reader_.expects_continue() && !last;
}

void ServerStream::add_websocket_key() {
  Random& random = session_.loop().random();
  incoming_.head.headers.set(HeaderName::sec_websocket_key,
                             websocket_key(random.next(), random.next(), incoming_.arena));
}

// RFC 9218 §5: the client's wish from the Priority field; PRIORITY_UPDATE is the engine's own.
void ServerStream::honour_priority() {
  if (!incoming_.head.headers.has(HeaderName::priority)) return;
  const Priority wish = parse_priority(incoming_.head.headers.value(HeaderName::priority));
  const nghttp2_extpri priority{wish.urgency, wish.incremental ? 1 : 0};
  nghttp2_session_change_extpri_stream_priority(session_.engine(), id(), &priority, 0);
}

loop::Task<void> ServerStream::answer() {
  if (!reader_.refused()) {
    co_await connection_.sink().run(incoming_, *this);
    co_return;
  }
  const BadRequest why = reader_.why();
  if (is_malformed(why)) out_.end_by_reset();
  in_.fail(Error{ErrorKind::protocol, Side::client, Retry::no, why.status, why.code,
                 std::string(why.detail)});
  co_await connection_.sink().refuse(incoming_, *this, why);
}

void ServerStream::retire_connection() { connection_.drain(); }

void ServerStream::abort() {
  aborted_ = true;
  reset(response_started_ ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL);
  const Error why{ErrorKind::cancelled, Side::doorward, Retry::no, 0, {}, "the stream was ended"};
  in_.fail(why);
  out_.fail(why);
}

loop::Task<Result<Piece>> ServerStream::read_body() {
  if (continue_due_ && !response_started_ && !in_.ready()) send_continue();
  continue_due_ = false;
  if (in_.ready()) return judge(take_piece(), session_.loop().now());
  const Deadline patience = response_started_
                                ? Deadline::never()
                                : Deadline::after(session_.loop().now(), settings().body_timeout);
  return judged(read_piece(patience));
}

void ServerStream::send_continue() {
  http::ResponseHead head(incoming_.arena);
  head.status = 100;
  const Pairs pairs = write_response(head, 100, Length::none, 0, incoming_.arena);
  nghttp2_submit_headers(session_.engine(), NGHTTP2_FLAG_NONE, id(), nullptr, pairs.data(),
                         pairs.size(), nullptr);
  out_.head_submitted(false);
  session_.pack();
}

loop::Task<Result<Piece>> ServerStream::judged(loop::Task<Result<Piece>> reading) {
  const TimePoint began = session_.loop().now();
  co_return judge(co_await std::move(reading), began);
}

// Gives the client up when it drips (slowloris); only time spent waiting counts. Once the response
// has begun both sides talk, and either may have nothing to say for long (gRPC's streams): then the
// backend's own silence is what is limited.
Result<Piece> ServerStream::judge(Result<Piece> piece, TimePoint wait_began) {
  if (!piece) {
    if (piece.error().kind == ErrorKind::timeout) {
      connection_.count_late(Late::body);
      piece.error().reason = "body_timeout";
    }
    return piece;
  }
  if (response_started_) return piece;
  waited_ += std::chrono::duration_cast<Duration>(session_.loop().now() - wait_began);
  rate_bytes_ += piece->chunk.size();
  if (waited_ < kRateWindow) return piece;
  const std::uint64_t due = settings().min_data_rate * static_cast<std::uint64_t>(waited_.count());
  if (rate_bytes_ * 1000 < due && !piece->last) {
    connection_.count_late(Late::data_rate);
    return Failure(Error{ErrorKind::limit, Side::client, Retry::no, 408, "request_too_slow",
                         "the body arrives more slowly than the minimum data rate"});
  }
  waited_ = Duration(0);
  rate_bytes_ = 0;
  return piece;
}

loop::Task<Result<void>> ServerStream::send_informational(const http::ResponseHead& head) {
  if (out_.error() || !is_open()) return settle(out_.finish({}, Deadline::never()));
  if (head.status == 100) continue_due_ = false;
  const Pairs pairs = write_response(head, head.status, Length::none, 0, incoming_.arena);
  nghttp2_submit_headers(session_.engine(), NGHTTP2_FLAG_NONE, id(), nullptr, pairs.data(),
                         pairs.size(), nullptr);
  out_.head_submitted(false);
  session_.pack();
  return settle(out_.finish(stall_limit(), Deadline::never()));
}

bool ServerStream::submit_head(const http::ResponseHead& head, BodySize size, bool ends) {
  const bool switching = head.status == 101;
  Length length = size.kind == BodySize::Kind::unknown ? Length::none : Length::known;
  // One that has no content need not say so, but may.
  if (size.kind == BodySize::Kind::none) {
    const bool says_so = head.headers.value(http::HeaderName::content_length) == "0";
    length = says_so ? Length::as_is : Length::none;
  }
  if (bodiless_) length = head.status == 204 ? Length::none : Length::as_is;
  if (switching) length = Length::none;
  const Pairs pairs = write_response(head, switching ? std::uint16_t{200} : head.status, length,
                                     size.length, incoming_.arena);
  nghttp2_data_provider provider = out_.provider();
  out_.head_submitted(ends);
  return nghttp2_submit_response(session_.engine(), id(), pairs.data(), pairs.size(),
                                 ends ? nullptr : &provider) == 0;
}

loop::Task<Result<void>> ServerStream::send_response(const http::ResponseHead& head, BodySize size,
                                                     std::string_view first, bool last) {
  response_started_ = true;
  if (out_.error() || session_.dead()) return settle(out_.finish({}, Deadline::never()));
  const bool switching = head.status == 101 && websocket_;
  // RFC 9113 §8.6: nobody can have asked for a 101; RFC 8441 §5: any 2xx would open the WebSocket.
  const bool opens_by_mistake = websocket_ && !switching && head.status / 100 == 2;
  if ((head.status == 101 && !websocket_) || opens_by_mistake) {
    out_.give_up(ErrorKind::protocol, "this response has no place on the stream");
    return settle(out_.finish({}, Deadline::never()));
  }
  const bool no_content = incoming_.head.method == http::Method::head && !websocket_;
  bodiless_ = !switching && (no_content || http::has_no_content(head.status));
  if (bodiless_) first = {};
  const bool ends = bodiless_ || (last && first.empty() && !switching);
  const bool by_reset = out_.ends_by_reset();
  if (!submit_head(head, size, ends && !by_reset)) {
    out_.give_up(ErrorKind::reset, "the response could not begin");
    return settle(out_.finish({}, Deadline::never()));
  }
  if (ends && !by_reset) {
    session_.pack();
    return settle(out_.finish(stall_limit(), Deadline::never()));
  }
  return settle(send_piece(first, (last || ends) && !switching, nullptr, incoming_.arena,
                           stall_limit(), Deadline::never()));
}

loop::Task<Result<void>> ServerStream::send_body(std::string_view bytes, bool last,
                                                 const http::HeaderList* trailers) {
  if (bodiless_) return Result<void>();
  return settle(
      send_piece(bytes, last, trailers, incoming_.arena, stall_limit(), Deadline::never()));
}

loop::Task<Result<void>> ServerStream::settle(loop::Task<Result<void>> sending) {
  if (sending.is_ready()) return judge_send(sending.take());
  return [](ServerStream& self, loop::Task<Result<void>> wait) -> loop::Task<Result<void>> {
    co_return self.judge_send(co_await std::move(wait));
  }(*this, std::move(sending));
}

Result<void> ServerStream::judge_send(Result<void> sent) {
  if (!sent && sent.error().kind == ErrorKind::timeout) connection_.count_late(Late::send);
  return sent;
}

loop::ByteStream* ServerStream::take_transport(Chunk& early_bytes) {
  early_bytes = Chunk();
  return &tunnel_.emplace(*this, incoming_.arena);
}

}  // namespace doorward::codec::h2
