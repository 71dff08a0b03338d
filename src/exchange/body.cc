// The bodies of an exchange on their way past limits and policies.
#include "exchange/core.h"
#include "exchange/exchange.h"

namespace doorward::exchange {

// Counts the piece against the listener's limit and shows it to the policies that asked for it;
// they may change it.
loop::Task<policy::Outcome> Exchange::check_request_piece(codec::Piece& piece) {
  body_received += piece.chunk.size();
  const std::uint64_t limit = listener.config->limits.body_size.count;
  if (limit != 0 && body_received > limit) {
    client_stream.close_after();
    co_return reply(413, "body_too_large", "The request's body is larger than the limit.");
  }
  if (matched->chain.request_body_need() == policy::BodyNeed::none) co_return policy::Outcome();
  policy::BodyPiece shown{std::move(piece.chunk), piece.last, piece.more_ready};
  const policy::Outcome outcome =
      co_await matched->chain.run_request_body(*this, chain_state, shown);
  piece.chunk = std::move(shown.chunk);
  co_return outcome;
}

// Before the attempt's connection goes: nobody may be uploading to it.
loop::Task<void> Exchange::stop_upload() {
  if (uploads.count() == 0) return {};
  upload_stopping = true;
  expectation.drop();
  client_stream.cancel_read();
  if (attempt.connection != nullptr) attempt.connection->cancel_write();
  return wait_for_upload();
}

// A backend of HTTP/2 may refuse a stream (RFC 9113 §8.7) whose body is on its way already. No more
// than this has gone out, and a piece that waits for the window, when it has not looked at the
// stream and its initial window is the usual one.
void Exchange::keep_for_repeat(const codec::Piece& piece) {
  constexpr std::size_t kMostSent = 65'535;
  if (body_let_go_) return;
  const bool may_be_refused = attempt.connection->version() == http::Version::http2;
  if (!may_be_refused || first_piece.size() + kept_body_.size() > kMostSent) return let_body_go();
  kept_body_.append(piece.chunk.view());
  kept_all_ = piece.last;
}

void Exchange::let_body_go() {
  body_let_go_ = true;
  first_piece = Chunk();
  std::string().swap(kept_body_);  // an assignment would keep the memory
}

void Exchange::prepare_repeat() {
  upload_stopping = false;
  backend_refusal.reset();
  response_overdue = false;
  core.loop().timers().disarm(overdue);
  expectation.renew();
}

// A backend that takes no more may have answered: that is waited for, but not for long.
void Exchange::end_upload(Result<void> sent) {
  constexpr Duration kAnswerAfterRefusal{1'000};
  if (upload_stopping) return;
  if (sent) times.uploaded = now();
  if (!sent) backend_refusal = std::move(sent.error());
  if (times.first_byte != TimePoint{}) return;
  if (sent) times.asked = now();
  const Duration patience = sent ? service->config().timeouts.first_byte : kAnswerAfterRefusal;
  core.loop().timers().arm(overdue, Deadline::after(core.loop().now(), patience));
}

loop::Task<void> Exchange::wait_for_upload() { co_await uploads.close(); }

bool Exchange::chain_sees_response_body() const {
  return matched != nullptr && matched->chain.response_body_need() != policy::BodyNeed::none;
}

loop::Task<Result<codec::Piece>> Exchange::run_response_body(codec::Piece piece,
                                                             const http::HeaderList* trailers) {
  policy::BodyPiece shown{std::move(piece.chunk), piece.last, piece.more_ready, trailers};
  const policy::Outcome outcome =
      co_await matched->chain.run_response_body(*this, chain_state, shown);
  if (outcome.reply != nullptr) {  // too late for another answer
    co_return Failure(Error{ErrorKind::limit, Side::doorward, Retry::no, 0, outcome.reply->code,
                            std::string(outcome.reply->detail)});
  }
  piece.chunk = std::move(shown.chunk);
  response_trailers = shown.trailers;
  co_return piece;
}

// The body's size as the backend is told it: what is wholly in hand is known.
codec::BodySize Exchange::outgoing_size() const {
  if (!request_size.may_have_bytes()) return request_size;
  if (body_in_hand) return codec::BodySize::known(first_piece.size());
  const bool changed = matched->chain.request_body_need() != policy::BodyNeed::none;
  return changed ? codec::BodySize::unknown() : request_size;
}

}  // namespace doorward::exchange
