// Outflow: what one stream sends. A piece is offered to the engine, which takes as much of it as
// flow control and the connection's output allow; small pieces are copied there and are done at
// once, large ones go out from the caller's memory and are done when they have been sent.
//
// A peer that opens its window by drips, or never, is given up as a stalled one: it must take
// StallLimit's rate over half of its timeout. Time in which the connection's own output is full
// does not count: the transport has a limit of its own for that.
// Owner: a Channel. One send may wait at a time.
#pragma once

#include <nghttp2/nghttp2.h>
#include <optional>

#include "base/arena.h"
#include "codec/h2/output.h"
#include "codec/h2/wait.h"
#include "http/header_list.h"
#include "loop/byte_stream.h"

namespace doorward::codec::h2 {

class Session;

class Outflow final : public Lender {
 public:
  Outflow(Session& session, loop::Loop& loop) : session_(session), wait_(loop) {}

  void attach(std::int32_t stream) { stream_ = stream; }
  // A head was submitted: its text stays untouched until it is packed. `last`: no content follows.
  void head_submitted(bool last) {
    ++heads_pending_;
    if (last) last_ = ended_ = true;
  }
  void head_packed() {
    if (heads_pending_ > 0) --heads_pending_;
    settle();
  }
  nghttp2_data_provider provider();

  // Offers a piece; only when the one before is done. `trailers` live until it is.
  void offer(std::string_view bytes, bool last, const http::HeaderList* trailers, Arena* arena);
  // Waits until it is done.
  loop::Task<Result<void>> finish(loop::StallLimit limit, Deadline deadline);

  // The end of the message has been handed to the engine.
  bool ended() const { return ended_ && heads_pending_ == 0; }
  // Nothing that was offered is on its way any more.
  bool settled() const {
    return lent_ == 0 &&
           (error_ || (pending_.empty() && heads_pending_ == 0 && (!last_ || ended_)));
  }
  // Ends a wait, now or as soon as the transport has let go of lent bytes.
  void fail(Error error);
  // … and the stream, of which a part is missing then.
  void give_up(ErrorKind kind, std::string_view cause);
  void cancel() { wait_.wake(Woken::cancelled); }
  const std::optional<Error>& error() const { return error_; }

  // Engine's side.
  ssize_t read(std::uint8_t* room, std::size_t size, std::uint32_t* flags);
  void lend(Output& output, std::string_view frame_head, std::size_t size);
  void give_back(std::size_t size) override;

  // The message's end comes as RST_STREAM, which the caller sends.
  void end_by_reset() { end_by_reset_ = true; }
  bool ends_by_reset() const { return end_by_reset_; }
  // All of it is copied, so that a wait can end at any time.
  void copy_all() { copied_most_ = SIZE_MAX; }
  Wait& waiter() { return wait_; }
  Result<void> result() const;

 private:
  static constexpr std::size_t kCopied = 4096;  // smaller DATA is copied

  void settle() {
    if (settled()) wait_.wake();
  }
  void taken(std::size_t size) {
    pending_.remove_prefix(size);
    progress_ += size;
  }
  void end(std::uint32_t* flags);
  loop::Task<Result<void>> wait(loop::StallLimit limit, Deadline deadline);
  bool stalled(loop::StallLimit limit, Duration over) const;

  Session& session_;
  std::int32_t stream_ = 0;
  std::string_view pending_;
  const http::HeaderList* trailers_ = nullptr;
  Arena* arena_ = nullptr;
  std::size_t lent_ = 0;
  std::uint64_t progress_ = 0;  // bytes that the engine took since the wait was last judged
  std::size_t copied_most_ = kCopied;
  std::uint32_t heads_pending_ = 0;
  bool last_ = false;
  bool ended_ = false;
  bool deferred_ = false;
  bool end_by_reset_ = false;
  std::optional<Error> error_;
  Wait wait_;
};

}  // namespace doorward::codec::h2
