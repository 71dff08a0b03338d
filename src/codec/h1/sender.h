// Sender: the sending half of an HTTP/1.1 connection. A head goes out together with the body's
// first bytes; later pieces get the framing that the head announced.
// Owner: a ServerConnection or ClientConnection.
#pragma once

#include <span>

#include "base/arena.h"
#include "codec/h1/writer.h"
#include "loop/byte_stream.h"
#include "loop/task.h"

namespace doorward::codec::h1 {

class Sender {
 public:
  explicit Sender(loop::ByteStream& bytes) : bytes_(bytes) {}

  // Writes the head into `arena` and sends it with `first`. `bodiless`: bytes of a body are
  // swallowed (HEAD, 204, 304).
  template <class Head>
  loop::Task<Result<void>> head(const Head& head, const HeadOptions& options, bool bodiless,
                                std::string_view first, bool last, Arena& arena, Deadline deadline);
  // A further piece; `trailers` may come with the last one.
  loop::Task<Result<void>> piece(std::string_view bytes, bool last,
                                 const http::HeaderList* trailers, Arena& arena, Deadline deadline);

 private:
  loop::ByteStream& bytes_;
  bool chunked_ = false;
  bool bodiless_ = false;
};

}  // namespace doorward::codec::h1
