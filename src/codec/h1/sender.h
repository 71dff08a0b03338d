// Sender: the sending half of an HTTP/1.1 connection. A head goes out together with the body's
// first bytes; later pieces get the framing that the head announced.
// Owner: a ServerConnection or ClientConnection.
#pragma once

#include <array>
#include <span>

#include "base/arena.h"
#include "codec/h1/writer.h"
#include "loop/byte_stream.h"
#include "loop/task.h"

namespace doorward::codec::h1 {

// A message's beginning, ready to be sent: `co_await bytes.send(start.parts(), deadline)`.
class MessageStart {
 public:
  MessageStart(const std::array<iovec, 3>& parts, std::size_t count)
      : parts_(parts), count_(count) {}
  std::span<const iovec> parts() const { return std::span(parts_).first(count_); }

 private:
  std::array<iovec, 3> parts_;
  std::size_t count_;
};

class Sender {
 public:
  explicit Sender(loop::ByteStream& bytes) : bytes_(bytes) {}

  // Nothing of the next message has been sent.
  void reset() { chunked_ = false; }
  // What may go out between two pieces without changing the message: a chunk's size may begin with
  // zeros (RFC 9112 §7.1). Nothing where the body has another framing.
  std::string_view filler() const { return chunked_ ? "0" : ""; }

  // Writes the head into `arena`, with the framing of `first` around it. `bodiless`: bytes of a
  // body are swallowed (HEAD, 204, 304). Sending it is left to the caller, since a coroutine of
  // its own for every head would be felt.
  template <class Head>
  MessageStart start(const Head& head, const HeadOptions& options, bool bodiless,
                     std::string_view first, bool last, Arena& arena);
  // A further piece; `trailers` may come with the last one.
  loop::Task<Result<void>> piece(std::string_view bytes, bool last,
                                 const http::HeaderList* trailers, Arena& arena, Deadline deadline);

 private:
  loop::ByteStream& bytes_;
  bool chunked_ = false;
  bool bodiless_ = false;
};

}  // namespace doorward::codec::h1
