#include "codec/h2/outflow.h"

#include <algorithm>
#include <cstring>

#include "codec/h2/head_writer.h"
#include "codec/h2/session.h"

namespace doorward::codec::h2 {
namespace {

ssize_t read_source(nghttp2_session*, std::int32_t, std::uint8_t* room, std::size_t size,
                    std::uint32_t* flags, nghttp2_data_source* source, void*) {
  return static_cast<Outflow*>(source->ptr)->read(room, size, flags);
}

}  // namespace

nghttp2_data_provider Outflow::provider() {
  nghttp2_data_provider provider;
  provider.source.ptr = this;
  provider.read_callback = read_source;
  return provider;
}

void Outflow::offer(std::string_view bytes, bool last, const http::HeaderList* trailers,
                    Arena* arena) {
  if (error_) return;
  pending_ = bytes;
  last_ = last_ || last;
  trailers_ = trailers;
  arena_ = arena;
  if (!std::exchange(deferred_, false)) return;
  nghttp2_session_resume_data(session_.engine(), stream_);
}

ssize_t Outflow::read(std::uint8_t* room, std::size_t size, std::uint32_t* flags) {
  if (pending_.empty() && (!last_ || error_)) {
    deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const std::size_t count = std::min(size, pending_.size());
  const bool end_now = last_ && count == pending_.size();
  if (count >= copied_most_) {
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  } else if (count > 0) {
    std::memcpy(room, pending_.data(), count);
    taken(count);
  }
  if (end_now) end(flags);
  // A copied piece is done once it is read; a lent one when it comes back.
  if ((*flags & NGHTTP2_DATA_FLAG_NO_COPY) == 0) settle();
  return static_cast<ssize_t>(count);
}

void Outflow::end(std::uint32_t* flags) {
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  ended_ = true;
  if (end_by_reset_) {
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  } else if (trailers_ != nullptr && !trailers_->empty()) {
    const Pairs pairs = write_trailers(*trailers_, *arena_);
    if (pairs.empty()) return;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session_.engine(), stream_, pairs.data(), pairs.size());
    ++heads_pending_;
  }
}

void Outflow::lend(Output& output, std::string_view frame_head, std::size_t size) {
  output.copy(frame_head);
  output.lend(pending_.substr(0, size), *this);
  lent_ += size;
  taken(size);
}

void Outflow::give_back(std::size_t size) {
  lent_ -= size;
  settle();
}

void Outflow::fail(Error error) {
  if (!error_) error_ = std::move(error);
  pending_ = {};
  settle();
}

void Outflow::give_up(ErrorKind kind, std::string_view cause) {
  if (error_) return;
  if (!session_.dead()) {
    nghttp2_submit_rst_stream(session_.engine(), NGHTTP2_FLAG_NONE, stream_, NGHTTP2_CANCEL);
    session_.pack_later();
  }
  fail(Error{kind, session_.peer(), Retry::no, 0, {}, std::string(cause)});
}

Result<void> Outflow::result() const {
  if (error_) return Failure(*error_);
  return {};
}

loop::Task<Result<void>> Outflow::finish(loop::StallLimit limit, Deadline deadline) {
  if (settled()) return result();
  return wait(limit, deadline);
}

bool Outflow::stalled(loop::StallLimit limit, Duration over) const {
  const std::uint64_t due = limit.min_rate * static_cast<std::uint64_t>(over.count()) / 1000;
  return lent_ == 0 && !session_.output_full() && progress_ < std::max<std::uint64_t>(due, 1);
}

loop::Task<Result<void>> Outflow::wait(loop::StallLimit limit, Deadline deadline) {
  const Duration span = limit.timeout / 2;
  while (!settled()) {
    const TimePoint now = session_.loop().now();
    Deadline until = error_ ? Deadline::never() : deadline;
    if (!error_ && span > Duration(0)) until = until.earlier(Deadline::after(now, span));
    progress_ = 0;
    const Woken woken = co_await wait_.until(until);
    if (woken == Woken::cancelled) {
      give_up(ErrorKind::cancelled, "the send was given up");
    } else if (woken == Woken::timeout &&
               (deadline.passed(session_.loop().now()) || stalled(limit, span))) {
      give_up(ErrorKind::timeout, "the peer takes no more of the stream");
    }
  }
  co_return result();
}

}  // namespace doorward::codec::h2
