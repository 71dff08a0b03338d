#include "codec/h1/server_connection.h"

#include <array>

#include "http/status.h"

namespace doorward::codec::h1 {
namespace {

constexpr Duration kRateWindow{10'000};
constexpr Duration kLingerTime{2'000};
// A body that nobody reads is skipped up to this size, so that the connection can go on.
constexpr std::uint64_t kSkippedBody = 64 * 1024;
constexpr Duration kSkipTime{2'000};
// How long an idle connection is still heard while draining: a request may be on its way.
constexpr Duration kDrainIdle{500};
constexpr std::uint64_t kLingerBytes = 1 << 20;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

ServerConnection::ServerConnection(loop::Loop& loop, loop::ByteStream& bytes, RequestSink& sink,
                                   std::shared_ptr<const ServerSettings> settings)
    : loop_(loop),
      bytes_(bytes),
      sink_(sink),
      settings_(std::move(settings)),
      receiver_(bytes),
      sender_(bytes) {
  apply_settings();
}

void ServerConnection::use_settings(std::shared_ptr<const ServerSettings> settings) {
  if (settings == settings_) return;
  settings_ = std::move(settings);
  apply_settings();
}

void ServerConnection::apply_settings() {
  bytes_.limit_stall({settings_->send_timeout, settings_->min_data_rate});
}

// A response that promised to keep the connection is kept to: the next request may be on its way.
void ServerConnection::drain() {
  draining_ = true;
  if (!response_started_) keep_alive_ = false;
  if (idle_) bytes_.cancel_recv();
}

void ServerConnection::abort() {
  aborted_ = true;
  keep_alive_ = false;
  bytes_.abort();
}

loop::Task<void> ServerConnection::serve(Chunk received) {
  if (!received.empty()) receiver_.accept(std::move(received));
  // The first request is awaited less patiently than the next ones.
  Duration patience = draining_ ? kDrainIdle : settings_->header_timeout;
  for (;;) {
    if (!receiver_.has_pending()) {
      idle_ = true;
      Result<Chunk> got = co_await bytes_.recv(Deadline::after(loop_.now(), patience));
      // drain() wakes it: closing at once would lose a request that is already on its way.
      const bool drained = !got && got.error().kind == ErrorKind::cancelled && !aborted_;
      if (drained) got = co_await bytes_.recv(Deadline::after(loop_.now(), kDrainIdle));
      idle_ = false;
      if (!got && got.error().kind == ErrorKind::timeout && !draining_) {
        late_ = requests_ == 0 ? Late::header : Late::idle;
      }
      if (!got || got->empty()) break;
      receiver_.accept(std::move(*got));
    }
    if (co_await one_request() == Next::end) break;
    patience = draining_ ? kDrainIdle : settings_->idle_timeout;
  }
}

void ServerConnection::begin_request() {
  parser_.reset();
  received_before_ = bytes_.received() - receiver_.pending_size();  // its first bytes are there
  sent_before_ = bytes_.sent();
  ++requests_;
  waited_ = Duration(0);
  rate_bytes_ = 0;
  sender_.reset();
  response_started_ = response_done_ = continue_due_ = bodiless_ = false;
}

loop::Task<ServerConnection::Next> ServerConnection::one_request() {
  begin_request();
  Incoming& incoming = sink_.open(*this);
  incoming_ = &incoming;
  Result<Progress> progress =
      receiver_.feed_head(parser_, incoming.head, incoming.arena, settings_->parse);
  if (*progress == Progress::need_more) progress = co_await read_head(incoming);
  if (!progress || *progress == Progress::refused) {
    co_await refuse(incoming, progress);
  } else {
    const std::uint32_t limit = settings_->requests_per_connection;
    keep_alive_ = parser_.keep_alive() && !draining_ && (limit == 0 || requests_ < limit);
    continue_due_ = parser_.expect_continue();
    receiver_.begin_body(parser_.framing(), incoming.arena);
    co_await sink_.run(incoming, *this);
  }
  const Next next = tunnel_ ? Next::end : co_await after_response();
  incoming_ = nullptr;
  sink_.close(incoming);
  co_return next;
}

loop::Task<Result<Progress>> ServerConnection::read_head(Incoming& incoming) {
  const TimePoint began = loop_.now();
  incoming.begun = began;
  const Deadline deadline = Deadline::after(began, settings_->header_timeout);
  for (;;) {
    Result<Chunk> got = co_await bytes_.recv(deadline);
    if (!got) co_return Failure(std::move(got.error()));
    if (is_dripping(began)) co_return fail(ErrorKind::limit, "the head arrives too slowly");
    if (got->empty()) co_return fail(ErrorKind::closed, "the client left before its head ended");
    receiver_.accept(std::move(*got));
    const Progress progress =
        receiver_.feed_head(parser_, incoming.head, incoming.arena, settings_->parse);
    if (progress != Progress::need_more) co_return progress;
  }
}

bool ServerConnection::is_dripping(TimePoint began) const {
  const auto took = std::chrono::duration_cast<Duration>(loop_.now() - began);
  const std::uint64_t bytes = bytes_.received() - received_before_;
  return took >= kRateWindow &&
         bytes * 1000 < settings_->min_data_rate * static_cast<std::uint64_t>(took.count());
}

// A head that cannot be used is answered; a client that left is not.
loop::Task<void> ServerConnection::refuse(Incoming& incoming, const Result<Progress>& why) {
  keep_alive_ = false;
  receiver_.begin_body({}, incoming.arena);
  BadRequest bad;
  if (why) {
    const Refusal refusal = parser_.refusal();
    bad = {static_cast<std::uint16_t>(status_of(refusal)), to_string(refusal), sentence(refusal),
           static_cast<unsigned>(refusal)};
  } else if (why.error().kind == ErrorKind::timeout) {
    late_ = Late::header;
    bad = {408, "header_timeout", "The request's head did not arrive in time."};
  } else if (why.error().kind == ErrorKind::limit) {
    late_ = Late::data_rate;
    bad = {408, "request_too_slow",
           "The request's head arrives more slowly than the listener's min_data_rate."};
  } else {
    response_done_ = true;
    co_return;
  }
  co_await sink_.refuse(incoming, *this, bad);
}

loop::Task<ServerConnection::Next> ServerConnection::after_response() {
  if (response_done_ && keep_alive_ && receiver_.body_done()) return Next::go_on;
  return end_or_go_on();
}

loop::Task<ServerConnection::Next> ServerConnection::end_or_go_on() {
  if (response_done_ && keep_alive_ && co_await skip_body()) co_return Next::go_on;
  const bool unread = !receiver_.body_done() || parser_.refusal() != Refusal::none ||
                      late_ != Late::no;  // a slow head's rest may still come
  if (!response_done_) {
    bytes_.abort();  // a response cut short must not look complete
  } else if (unread || receiver_.has_pending() || ends_by_choice()) {
    co_await linger();
  }
  co_return Next::end;
}

// The client would have gone on, so that another request of its may be on its way.
bool ServerConnection::ends_by_choice() const { return parser_.keep_alive() && !aborted_; }

// A client that waits for 100 may never send its body; a long one costs more than a connection.
bool ServerConnection::can_skip_body() const {
  if (receiver_.body_done()) return true;
  const BodySize size = receiver_.size();
  return !continue_due_ && size.kind == BodySize::Kind::known && size.length <= kSkippedBody;
}

// Reads what is left of the request's body; true when the next request may follow.
loop::Task<bool> ServerConnection::skip_body() {
  const Deadline deadline = Deadline::after(loop_.now(), kSkipTime);
  while (!receiver_.body_done()) {
    const Result<Piece> piece = co_await receiver_.read_piece(deadline);
    if (!piece) co_return false;
  }
  co_return true;
}

// Closing while the client still sends would reset the connection and lose the response on its
// way (RFC 9112 §9.6): send FIN, then swallow what comes for a bounded time.
loop::Task<void> ServerConnection::linger() {
  bytes_.shutdown_send();
  receiver_.take_pending();
  const Deadline deadline = Deadline::after(loop_.now(), kLingerTime);
  const std::uint64_t until = bytes_.received() + kLingerBytes;
  while (bytes_.received() < until) {
    const Result<Chunk> got = co_await bytes_.recv(deadline);
    if (!got || got->empty()) break;
  }
}

loop::Task<Result<Piece>> ServerConnection::read_body() {
  if (continue_due_ && !response_started_) {
    continue_due_ = false;
    if (!receiver_.piece_ready()) {
      if (Result<void> sent = co_await send_continue(); !sent) co_return Failure(sent.error());
    }
  }
  const TimePoint began = loop_.now();
  auto reading = receiver_.read_piece(Deadline::after(began, settings_->body_timeout));
  co_return judge(co_await std::move(reading), began);
}

// A read that is cancelled while the 100 is on its way must not begin to wait behind it.
loop::Task<Result<void>> ServerConnection::send_continue() {
  const std::array parts{iovec{const_cast<char*>(kContinue.data()), kContinue.size()}};
  continuing_ = true;
  Result<void> sent = co_await send_interim(parts);
  continuing_ = false;
  if (std::exchange(read_cancelled_, false) && sent) {
    co_return fail(ErrorKind::cancelled, "the body is not wanted any more");
  }
  co_return sent;
}

void ServerConnection::cancel_read() {
  if (continuing_) {
    read_cancelled_ = true;
  } else {
    bytes_.cancel_recv();
  }
}

// Interim responses come from two sides, the exchange's and the upload's: one after the other.
loop::Task<Result<void>> ServerConnection::send_interim(std::span<const iovec> parts) {
  while (interim_in_flight_) co_await interim_sent();
  if (response_started_) co_return Result<void>();  // a 100 that came too late
  interim_in_flight_ = true;
  Result<void> sent = co_await bytes_.send(parts, Deadline::never());
  interim_in_flight_ = false;
  if (after_interim_) loop_.resume_later(std::exchange(after_interim_, nullptr));
  co_return sent;
}

// Gives a body's piece its error codes, and the client up when it drips (slowloris). Only time
// spent waiting counts, so a slow backend is not held against the client.
Result<Piece> ServerConnection::judge(Result<Piece> piece, TimePoint wait_began) {
  if (!piece) {
    piece.error().side = Side::client;
    if (piece.error().kind == ErrorKind::timeout) {
      late_ = Late::body;
      piece.error().reason = "body_timeout";
    }
    return piece;
  }
  waited_ += std::chrono::duration_cast<Duration>(loop_.now() - wait_began);
  rate_bytes_ += piece->chunk.size();
  if (waited_ < kRateWindow) return piece;
  const std::uint64_t due = settings_->min_data_rate * static_cast<std::uint64_t>(waited_.count());
  if (rate_bytes_ * 1000 < due && !piece->last) {
    late_ = Late::data_rate;
    return Failure(Error{ErrorKind::limit, Side::client, Retry::no, 408, "request_too_slow",
                         "the body arrives more slowly than the minimum data rate"});
  }
  waited_ = Duration(0);
  rate_bytes_ = 0;
  return piece;
}

loop::Task<Result<void>> ServerConnection::send_informational(const http::ResponseHead& head) {
  if (incoming_->head.version == http::Version::http10) co_return Result<void>();
  if (head.status == 100) continue_due_ = false;
  HeadOptions options;
  options.framing = WriteFraming::none;
  const MessageStart start = sender_.start(head, options, true, {}, false, incoming_->arena);
  co_return co_await send_interim(start.parts());
}

// RFC 9112 §6: which framing the response's body gets, and whether the connection goes on.
HeadOptions ServerConnection::choose_framing(const http::ResponseHead& head, BodySize size) {
  const bool http10 = incoming_->head.version == http::Version::http10;
  HeadOptions options;
  if (head.status == 101) {
    options.framing = WriteFraming::none;
    options.connection = "upgrade";
    return options;
  }
  bodiless_ = incoming_->head.method == http::Method::head || http::has_no_content(head.status);
  if (bodiless_) {
    const bool length_says_nothing = head.status == 204 || head.status < 200;
    options.framing = length_says_nothing ? WriteFraming::none : WriteFraming::as_is;
  } else if (size.kind != BodySize::Kind::unknown) {
    options.framing = WriteFraming::length;
    options.length = size.length;
  } else if (http10) {
    options.framing = WriteFraming::none;
    keep_alive_ = false;
  } else {
    options.framing = WriteFraming::chunked;
  }
  keep_alive_ = keep_alive_ && can_skip_body();
  if (!keep_alive_) options.connection = "close";
  if (keep_alive_ && http10) options.connection = "keep-alive";
  return options;
}

loop::Task<Result<void>> ServerConnection::send_response(const http::ResponseHead& head,
                                                         BodySize size, std::string_view first,
                                                         bool last) {
  response_started_ = true;
  co_await interim_sent();
  const HeadOptions options = choose_framing(head, size);
  const MessageStart start = sender_.start(head, options, bodiless_, first, last, incoming_->arena);
  co_return settle(co_await bytes_.send(start.parts(), Deadline::never()), last);
}

loop::Task<Result<void>> ServerConnection::send_body(std::string_view bytes, bool last,
                                                     const http::HeaderList* trailers) {
  Result<void> sent =
      co_await sender_.piece(bytes, last, trailers, incoming_->arena, Deadline::never());
  co_return settle(std::move(sent), last);
}

Result<void> ServerConnection::settle(Result<void> sent, bool last) {
  response_done_ = sent.has_value() && last;
  if (!sent) {
    sent.error().side = Side::client;
    if (sent.error().kind == ErrorKind::timeout) late_ = Late::send;
  }
  return sent;
}

// A client that closed answers these bytes with RST, so that client_broken() soon tells; one that
// only shut down its sending half skips them, as every client must skip a 100 it did not ask for
// (RFC 9110 §15.2). HTTP/1.0 knows neither, and within a body of known length there is no room.
void ServerConnection::probe_client() {
  if (incoming_ == nullptr || incoming_->head.version == http::Version::http10) return;
  if (!response_started_) {
    bytes_.try_send(kContinue);
  } else if (!response_done_ && !sender_.filler().empty()) {
    bytes_.try_send(sender_.filler());
  }
}

loop::ByteStream* ServerConnection::take_transport(Chunk& early_bytes) {
  tunnel_ = true;
  response_done_ = true;
  early_bytes = receiver_.take_pending();
  return &bytes_;
}

}  // namespace doorward::codec::h1
